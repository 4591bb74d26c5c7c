"""Their connections: jobs that sync a source's tables into a knowledge base."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from starlette.responses import Response

from agent.api.answers import json_answer, no_content
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.contracts.connector_jobs.connection_models import (
    ConnectorConnection,
    ConnectorConnectionChange,
    ConnectorConnectionInput,
    RefreshInput,
    StreamNames,
    TimelineEvent,
    base_name,
    connection_of,
    definition_of,
    in_their_words,
    named_streams,
    our_schedule,
    our_streams,
    streams_of,
)
from agent.api.contracts.connector_jobs.jobs import ConnectorJob, job_of
from agent.api.contracts.connector_jobs.words import (
    STATUS,
    DeleterHere,
    EditorHere,
    Listed,
    PageQuery,
    ReaderHere,
    RunnerHere,
    Status,
    connector_answers,
    connector_routes,
    duration_of,
    states_of,
)
from agent.core.operations import Core
from agent.core.permissions.callers import Caller
from agent.core.permissions.overreach import not_found
from agent.core.permissions.rules import Act
from agent.core.ports.syncs import SyncEvent, SyncJobs
from agent.core.running.variants import act_of
from agent.core.world.syncing import SYNC, Kind
from shared.errors import InvalidInput, NotFound
from shared.models import JobInput
from shared.models.built import built

routes = connector_routes()
_OF_ONE_STREAM = ("source_table", "content_columns", "filter_column", "key_columns", "attribute_columns")


class TimelineQuery(PageQuery):
    event_type: Literal["sync", "reset", "refresh", "clear", "created", "updated"] | None = None
    status: Status | None = None


@routes.get("/connections", **connector_answers(200, Listed[ConnectorConnection], 404, 405))
async def list_connector_connections(
    request: Request, caller: ReaderHere, query: Annotated[PageQuery, Query()]
) -> Response:
    """By name."""
    core = api_of(request).core
    found = await core.syncing.jobs(caller, query.limit, query.offset)
    return json_answer(Listed[ConnectorConnection].model_construct(data=_shown(found), total=found.total))


@routes.post("/connections", **connector_answers(201, ConnectorConnection, 404, 405, 409, 413, 415))
async def create_connector_connection(
    request: Request,
    caller: EditorHere,
    given: Annotated[ConnectorConnectionInput, Depends(JsonBody(ConnectorConnectionInput))],
) -> Response:
    """A job that syncs the tables, on its schedule if it has one."""
    core = api_of(request).core
    _check_workspace(caller, given.workspace_id)
    source = await _source_name(core, caller, given.source_id)
    data: dict[str, Any] = {"streams": our_streams(given.configurations, source)}
    fresh = None
    if given.destination_id is None:
        fresh = base_name(given.name, await core.syncing.base_names(caller))
    else:
        data["knowledge_base"] = await _base_name(core, caller, given.destination_id)
    fields = {"name": given.name, "type": SYNC, "enabled": given.status == "active", "data": data}
    try:
        definition = definition_of({**fields, **our_schedule(given.schedule)})
        job = await core.syncing.create(caller, definition, fresh)
    except InvalidInput as error:
        raise in_their_words(error) from None
    return json_answer(_shown(await core.syncing.one(caller, job.id))[0], 201)


@routes.get("/connections/{connection_id}", **connector_answers(200, ConnectorConnection, 404, 405))
async def get_connector_connection(request: Request, caller: ReaderHere, connection_id: str) -> Response:
    """One of them."""
    core = api_of(request).core
    return json_answer(_shown(await core.syncing.one(caller, connection_id))[0])


@routes.patch("/connections/{connection_id}", **connector_answers(200, ConnectorConnection, 404, 405, 409, 413, 415))
async def change_connector_connection(
    request: Request,
    caller: EditorHere,
    connection_id: str,
    given: Annotated[ConnectorConnectionChange, Depends(JsonBody(ConnectorConnectionChange))],
) -> Response:
    """What is named changes, as the job's next revision."""
    core = api_of(request).core
    job = await core.syncing.job(caller, connection_id, Act.EDIT)
    base = None if given.destination_id is None else await _base_name(core, caller, given.destination_id)
    try:
        await core.editing.change(caller, job.id, lambda known: _changed(known, given, base))
    except InvalidInput as error:
        raise in_their_words(error) from None
    if given.status == "active" and job.paused_at is not None:
        await core.jobs.resume(caller, job.id)
    return json_answer(_shown(await core.syncing.one(caller, job.id))[0])


@routes.delete("/connections/{connection_id}", **connector_answers(204, None, 404, 405, 409))
async def delete_connector_connection(request: Request, caller: DeleterHere, connection_id: str) -> Response:
    """What it has brought into the destination stays there: clear it before."""
    core = api_of(request).core
    job = await core.syncing.job(caller, connection_id, Act.DELETE)
    await core.jobs.delete(caller, job.id, None)
    return no_content()


@routes.post("/connections/{connection_id}/refresh", **connector_answers(201, ConnectorJob, 404, 405, 413, 415))
async def refresh_connector_connection(
    request: Request,
    caller: RunnerHere,
    connection_id: str,
    given: Annotated[RefreshInput, Depends(JsonBody(RefreshInput, optional=True))],
) -> Response:
    """Bring all of the named streams in again; with `remove_records` into an empty place, swapped in at the end."""
    kind: Kind = "reset" if given.remove_records else "refresh"
    return await _triggered(api_of(request).core, caller, connection_id, kind, given.streams)


@routes.post("/connections/{connection_id}/clear", **connector_answers(201, ConnectorJob, 404, 405, 413, 415))
async def clear_connector_connection(
    request: Request,
    caller: RunnerHere,
    connection_id: str,
    given: Annotated[StreamNames, Depends(JsonBody(StreamNames, optional=True))],
) -> Response:
    """Empty the destination of the named streams' rows."""
    return await _triggered(api_of(request).core, caller, connection_id, "clear", given.streams)


@routes.get("/connections/{connection_id}/timeline", **connector_answers(200, Listed[TimelineEvent], 404, 405))
async def read_connector_timeline(
    request: Request, caller: ReaderHere, connection_id: str, query: Annotated[TimelineQuery, Query()]
) -> Response:
    """What became of it, newest first: its runs, and how it was changed."""
    states = states_of(query.status)
    events, total = await api_of(request).core.syncing.events(
        caller, connection_id, query.event_type, states, query.limit, query.offset
    )
    told = [
        built(
            TimelineEvent,
            {"event_id": event.id, "event_type": event.kind, "created_at": event.at, "summary": _summary(event)},
        )
        for event in events
    ]
    return json_answer(Listed[TimelineEvent].model_construct(data=told, total=total))


def _shown(found: SyncJobs) -> list[ConnectorConnection]:
    return [connection_of(job, found) for job in found.jobs]


def _changed(known: JobInput, given: ConnectorConnectionChange, base: str | None) -> JobInput:
    """What is named, in the definition as it is now; `base` is the new destination's name."""
    fields = known.model_dump(mode="json")
    data = dict(fields["data"])
    if given.name is not None:
        fields["name"] = given.name
    if given.status is not None:
        fields["enabled"] = given.status == "active"
    if "schedule" in given.model_fields_set:
        fields |= our_schedule(given.schedule)
    if base is not None:
        data["knowledge_base"] = base
    if given.configurations is not None:
        source = str(streams_of(data)[0]["source_table"]).partition(".")[0]
        data = {name: value for name, value in data.items() if name not in _OF_ONE_STREAM}
        data["streams"] = our_streams(given.configurations, source)
    return definition_of(fields | {"data": data})


async def _triggered(core: Core, caller: Caller, connection_id: str, kind: Kind, names: list[str]) -> Response:
    job = await core.syncing.job(caller, connection_id, act_of(kind))
    streams = named_streams(await core.jobs.definition(job), names)
    run = await core.syncing.trigger(caller, job.id, kind, streams)
    return json_answer(job_of(await core.syncing.run(caller, run.id)), 201)


async def _source_name(core: Core, caller: Caller, key: str) -> str:
    try:
        return (await core.world.get_connection(caller, key)).name
    except NotFound as error:
        raise not_found("source_id", key, error, message=f"there is no source {key!r}") from None


async def _base_name(core: Core, caller: Caller, key: str) -> str:
    try:
        return (await core.world.get_knowledge_base(caller, key)).name
    except NotFound as error:
        raise not_found("destination_id", key, error) from None


def _check_workspace(caller: Caller, said: str | None) -> None:
    if said is not None and said != caller.account_id:
        raise InvalidInput.one("workspace_id", f"the organization has one workspace: {caller.account_id!r}", said)


def _summary(event: SyncEvent) -> str:
    if event.run is None:
        return "Connection created" if event.kind == "created" else f"Connection changed (revision {event.revision})"
    run, status = event.run, STATUS[event.run.state]
    took = duration_of(run.started_at, run.finished_at)
    if took is None:
        return f"{event.kind.capitalize()} {'is running' if status == 'running' else 'waits'}"
    return f"{event.kind.capitalize()} {status}: {run.rows} rows, {run.bytes} bytes in {took}"
