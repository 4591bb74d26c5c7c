"""Accounts, users and what they show to be let in; what an account may have."""
