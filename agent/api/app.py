"""The API put together."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from agent.api import probes
from agent.api.auth import refused_caller
from agent.api.broadcast import Broadcast
from agent.api.context import Api, api_of
from agent.api.contracts import background_jobs, connector_jobs, job_listing, job_listing_v2, kb_sync
from agent.api.errors import Contract, Envelopes, refusal_of
from agent.api.guard import Guard, allowed_methods, log_failure, request_id_of
from agent.api.metrics import RequestMetrics
from agent.api.native import (
    accounts,
    actions,
    agent,
    attachments,
    audit,
    catch_up,
    datasets,
    definitions,
    drafts,
    events,
    fires,
    history,
    job_datasets,
    jobs,
    listing,
    log_search,
    revisions,
    runs,
    secrets,
    sentinels,
    sessions,
    shares,
    templates,
    tokens,
    users,
    world,
)
from agent.api.peers import host_name
from agent.api.rates import Rates
from agent.api.signposts import Signposts
from agent.core.operations import Core
from agent.release import release
from shared.errors import JobdeckError

_DESCRIPTION = "Jobdeck's agent: its native API under `/api`, and the published contracts that it answers."

CONTRACTS = (
    Contract(kb_sync.PREFIX, kb_sync.envelope),
    Contract(background_jobs.PREFIX, background_jobs.envelope, background_jobs.rate_headers),
    Contract(connector_jobs.PREFIX, connector_jobs.envelope),
    Contract(job_listing.PREFIX, job_listing.envelope),
    Contract(job_listing_v2.PREFIX, job_listing_v2.envelope),
)
_FIRST = (background_jobs, connector_jobs, job_listing, job_listing_v2)
"""For they are few: routes are looked through in this order, and machines ask theirs often."""
_OTHERS = (
    listing,
    jobs,
    drafts,
    revisions,
    history,
    templates,
    definitions,
    datasets,
    job_datasets,
    actions,
    attachments,
    runs,
    log_search,
    fires,
    catch_up,
    world,
    secrets,
    sessions,
    tokens,
    users,
    accounts,
    agent,
    sentinels,
    shares,
    audit,
    events,
    kb_sync,
    probes,
)


def create_api(core: Core) -> FastAPI:
    """The app that `serving.serve` puts behind its two doors. One per agent: it subscribes to the store."""
    api = Api(
        core=core,
        gate=core.gate,
        rates=Rates(core.clock, core.settings.requests_per_minute),
        broadcast=Broadcast(core.store),
        metrics=RequestMetrics(),
        envelopes=Envelopes(core.clock, CONTRACTS),
    )
    app = FastAPI(
        title="Jobdeck",
        version=release(),
        description=_DESCRIPTION,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # else asked for anew by each request
    )
    app.state.api = api
    for module in (*_FIRST, *_OTHERS):
        app.router.routes.extend(module.routes.routes)
    app.router.middleware_stack = Signposts(app.router)
    for kind in (JobdeckError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refuse)
    app.add_middleware(Guard, api=api, own_names=_own_names(core))
    return app


async def _refuse(request: Request, error: Exception) -> Response:
    refusal = refusal_of(error, request_id_of(request.scope), allowed_methods(request.app, request.scope))
    log_failure(refusal, error, request.scope)
    who = refused_caller(request)
    if who is not None:
        await api_of(request).core.audit.note(who, refusal.error, map(str, request.path_params.values()))
    return api_of(request).envelopes.answer(request.url.path, refusal)


def _own_names(core: Core) -> frozenset[str]:
    given = [core.settings.host, *core.settings.allowed_hosts]
    return frozenset(host_name(name) for name in given if name)
