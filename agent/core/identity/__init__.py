"""Who is calling, for all of Jobdeck: accounts, users, tokens, sessions, bearers of other issuers.

`Gate` turns credentials into a `Caller`; beside it, by subject, what changes who there is. Nothing of it is cached:
each request asks the store, so that what is revoked or disabled opens nothing from that moment on, at any agent.
"""
