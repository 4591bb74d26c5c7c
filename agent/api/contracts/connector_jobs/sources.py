"""Their sources: connections to databases. Credentials go in and never come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.engine import URL
from starlette.responses import Response

from agent.api.answers import json_answer, no_content
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.contracts.connector_jobs.words import (
    AdminHere,
    Listed,
    PageQuery,
    ReaderHere,
    ShortText,
    connector_answers,
    connector_routes,
)
from agent.core.permissions.callers import Caller
from shared.errors import InvalidInput
from shared.models import Connection, ConnectionInput
from shared.models.base import Instant
from shared.models.job import Name

routes = connector_routes()
Kind = Literal["postgresql", "mysql", "sqlite", "duckdb"]
_FILES = ("sqlite", "duckdb")
_ALIASES = {"postgres": "postgresql", "mariadb": "mysql", "sqlite3": "sqlite"}
_SECRET = True
_OURS_TO_THEIRS = {"url": "configuration.url", "secretName": "configuration.secret"}


class Configuration(BaseModel):
    """A URL; or its parts. `secret` names a stored one that holds the password."""

    url: Annotated[str, Field(max_length=4000)] | None = None
    host: ShortText | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    database: Annotated[str, Field(max_length=1000)] | None = None
    user: ShortText | None = None
    password: Annotated[str, Field(max_length=4000)] | None = None
    secret: ShortText | None = None


class ConnectorSourceInput(BaseModel):
    name: Name
    source_definition_id: Kind
    workspace_id: ShortText | None = None
    configuration: Configuration


class ConnectorSourceChange(BaseModel):
    """What is left out stays; a configuration takes the place of the whole one, but for its credential."""

    name: Name | None = None
    configuration: Configuration | None = None


class ShownConfiguration(BaseModel):
    url: str
    secret: str | None


class ConnectorSource(BaseModel):
    source_id: str
    name: str
    source_definition_id: str
    workspace_id: str
    configuration: ShownConfiguration
    created_at: Instant


Given = Annotated[ConnectorSourceInput, Depends(JsonBody(ConnectorSourceInput, secret=_SECRET))]


@routes.get("/sources", **connector_answers(200, Listed[ConnectorSource], 404, 405))
async def list_connector_sources(
    request: Request, caller: ReaderHere, query: Annotated[PageQuery, Query()]
) -> Response:
    """By name."""
    found = await api_of(request).core.world.list_connections(caller)
    page = found[query.offset : query.offset + query.limit]
    shown = [_source_of(each) for each in page]
    return json_answer(Listed[ConnectorSource].model_construct(data=shown, total=len(found)))


@routes.post("/sources", **connector_answers(201, ConnectorSource, 404, 405, 409, 413, 415))
async def create_connector_source(request: Request, caller: AdminHere, given: Given) -> Response:
    """A password moves into a secret."""
    with _in_their_words():
        made = await api_of(request).core.world.create_connection(caller, _ours(caller, given))
    return json_answer(_source_of(made), 201)


@routes.get("/sources/{source_id}", **connector_answers(200, ConnectorSource, 404, 405))
async def get_connector_source(request: Request, caller: ReaderHere, source_id: str) -> Response:
    """One of them."""
    return json_answer(_source_of(await api_of(request).core.world.get_connection(caller, source_id)))


@routes.put("/sources/{source_id}", **connector_answers(200, ConnectorSource, 404, 405, 409, 413, 415))
async def replace_connector_source(request: Request, caller: AdminHere, source_id: str, given: Given) -> Response:
    """Where it leads, and with what credential. One that is left out stays as it is."""
    with _in_their_words():
        changed = await api_of(request).core.world.replace_connection(caller, source_id, _ours(caller, given))
    return json_answer(_source_of(changed))


@routes.patch("/sources/{source_id}", **connector_answers(200, ConnectorSource, 404, 405, 409, 413, 415))
async def change_connector_source(
    request: Request,
    caller: AdminHere,
    source_id: str,
    given: Annotated[ConnectorSourceChange, Depends(JsonBody(ConnectorSourceChange, secret=_SECRET))],
) -> Response:
    """What is named changes."""
    world = api_of(request).core.world
    known = await world.get_connection(caller, source_id)
    url, secret = known.url, None
    if given.configuration is not None:
        url, secret = _url(_kind(known.kind), given.configuration), given.configuration.secret
    wanted = ConnectionInput(name=given.name or known.name, url=url, secret_name=secret)
    with _in_their_words():
        changed = await world.replace_connection(caller, known.id, wanted)
    return json_answer(_source_of(changed))


@routes.delete("/sources/{source_id}", **connector_answers(204, None, 404, 405, 409))
async def delete_connector_source(request: Request, caller: AdminHere, source_id: str) -> Response:
    """The database itself is not touched."""
    await api_of(request).core.world.delete_connection(caller, source_id)
    return no_content()


@contextmanager
def _in_their_words() -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        found = [replace(fault, field=_OURS_TO_THEIRS.get(fault.field, fault.field)) for fault in error.faults]
        raise InvalidInput(found) from None


def _source_of(connection: Connection) -> ConnectorSource:
    return ConnectorSource.model_construct(
        source_id=connection.id,
        name=connection.name,
        source_definition_id=_kind(connection.kind),
        workspace_id=connection.account_id,
        configuration=ShownConfiguration.model_construct(url=connection.url, secret=connection.secret_name),
        created_at=connection.created_at,
    )


def _ours(caller: Caller, given: ConnectorSourceInput) -> ConnectionInput:
    if given.workspace_id is not None and given.workspace_id != caller.account_id:
        message = f"the organization has one workspace: {caller.account_id!r}"
        raise InvalidInput.one("workspace_id", message, given.workspace_id)
    url = _url(given.source_definition_id, given.configuration)
    return ConnectionInput(name=given.name, url=url, secret_name=given.configuration.secret)


def _url(kind: str, given: Configuration) -> str:
    """InvalidInput without what was given: it may be a credential."""
    if given.url is not None:
        scheme = given.url.strip().partition(":")[0].partition("+")[0].lower()
        if _kind(scheme) != kind:
            raise InvalidInput.one("configuration.url", f"must be one of {kind}, as source_definition_id says")
        return given.url
    if not given.database or (kind not in _FILES and not given.host):
        needed = "a database (the file's path)" if kind in _FILES else "host and database"
        raise InvalidInput.one("configuration", f"needs a url, or {needed}")
    if kind in _FILES:
        return f"{kind}:///{given.database}"
    made = URL.create(
        kind, username=given.user, password=given.password, host=given.host, port=given.port, database=given.database
    )
    return made.render_as_string(hide_password=False)


def _kind(kind: str) -> Any:
    return _ALIASES.get(kind, kind)
