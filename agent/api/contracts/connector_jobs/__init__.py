"""`/v1/organizations/{organization_id}/knowledge/connectors`: syncs of sources into knowledge bases, for integrators.

An adapter: their organization is an account, their source a connection, their connection a job of type `kb-sync` (or
`kb-reset`) with its streams and schedule, their job a run of it, their destination a knowledge base.
"""

from __future__ import annotations

from agent.api.contracts.connector_jobs import connections, jobs, sources
from agent.api.contracts.connector_jobs.words import envelope

PREFIX = "/v1/organizations/"
routes = jobs.routes
for _part in (connections, sources):
    routes.routes.extend(_part.routes.routes)

__all__ = ["PREFIX", "envelope", "routes"]
