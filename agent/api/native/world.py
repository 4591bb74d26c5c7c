"""What jobs work with: connections, knowledge bases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import Items, answers, json_answer, no_content
from agent.api.auth import Admin, Deleter, Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from shared.errors import InvalidInput, Unavailable
from shared.models import (
    Connection,
    ConnectionInput,
    JobUsers,
    KnowledgeBase,
    KnowledgeBaseInput,
    SearchHit,
    SearchInput,
)
from shared.models.base import Input, Resource

routes = APIRouter(prefix="/api", tags=["world"])


class TablesQuery(Input):
    table: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class ConnectionTest(Resource):
    ok: bool
    message: str
    tables: list[str] = []


class Column(Resource):
    name: str
    type: str
    primary_key: bool = False


class Table(Resource):
    name: str
    columns: list[Column] = []


class SearchAnswer(Resource):
    items: list[SearchHit]
    took: float
    """Seconds."""


@routes.get("/connections", **answers(200, Items[Connection]))
async def list_connections(request: Request, caller: Reader) -> Response:
    """The account's data sources."""
    return json_answer(Items[Connection](items=await api_of(request).core.world.list_connections(caller)))


@routes.post("/connections", **answers(201, Connection, 404, 409, 413, 415))
async def create_connection(
    request: Request, caller: Admin, given: Annotated[ConnectionInput, Depends(JsonBody(ConnectionInput, secret=True))]
) -> Response:
    """Add a data source; a password in the URL moves into a secret."""
    made = await api_of(request).core.world.create_connection(caller, given)
    return json_answer(made, 201, {"Location": f"/api/connections/{made.id}"})


@routes.get("/connections/{key}", **answers(200, Connection, 404))
async def get_connection(request: Request, caller: Reader, key: str) -> Response:
    """One data source, by id or name."""
    return json_answer(await api_of(request).core.world.get_connection(caller, key))


@routes.get("/connections/{key}/jobs", **answers(200, JobUsers, 404))
async def list_users_of_connection(request: Request, caller: Reader, key: str) -> Response:
    """The jobs that work with a data source, and fail without it, and the datasets that read from it; of those that the
    caller may not see, how many."""
    return json_answer(await api_of(request).core.world.users_of_connection(caller, key))


@routes.delete("/connections/{key}", **answers(204, None, 404, 409))
async def delete_connection(request: Request, caller: Admin, key: str) -> Response:
    """Remove a data source; the source itself is not touched."""
    await api_of(request).core.world.delete_connection(caller, key)
    return no_content()


@routes.post("/connections/{key}/_test", **answers(200, ConnectionTest, 404))
async def test_connection(request: Request, caller: Reader, key: str) -> Response:
    """Connect, and name the tables; a source that does not answer is an answer too."""
    try:
        tables = await api_of(request).core.world.test_connection(caller, key)
    except Unavailable as error:
        return json_answer(ConnectionTest(ok=False, message=error.message))
    return json_answer(ConnectionTest(ok=True, message=f"connected; {len(tables)} tables", tables=tables))


@routes.get("/connections/{key}/tables", **answers(200, Items[Table], 404))
async def list_tables(request: Request, caller: Reader, key: str, query: Annotated[TablesQuery, Query()]) -> Response:
    """The source's tables; with `table`, that one and its columns."""
    found = await api_of(request).core.world.tables(caller, key, query.table)
    return json_answer(Items[Table](items=[Table.model_validate(each) for each in found]))


@routes.get("/knowledge-bases", **answers(200, Items[KnowledgeBase]))
async def list_knowledge_bases(request: Request, caller: Reader) -> Response:
    """The account's knowledge bases."""
    return json_answer(Items[KnowledgeBase](items=await api_of(request).core.world.list_knowledge_bases(caller)))


@routes.post("/knowledge-bases", **answers(201, KnowledgeBase, 409, 413, 415))
async def create_knowledge_base(
    request: Request, caller: Editor, given: Annotated[KnowledgeBaseInput, Depends(JsonBody(KnowledgeBaseInput))]
) -> Response:
    """Make an empty knowledge base."""
    made = await api_of(request).core.world.create_knowledge_base(caller, given)
    return json_answer(made, 201, {"Location": f"/api/knowledge-bases/{made.id}"})


@routes.get("/knowledge-bases/{key}", **answers(200, KnowledgeBase, 404))
async def get_knowledge_base(request: Request, caller: Reader, key: str) -> Response:
    """One knowledge base, by id or name."""
    return json_answer(await api_of(request).core.world.get_knowledge_base(caller, key))


@routes.get("/knowledge-bases/{key}/jobs", **answers(200, JobUsers, 404))
async def list_users_of_knowledge_base(request: Request, caller: Reader, key: str) -> Response:
    """The jobs that work with a knowledge base, and fail without it; of those that the caller may not see, how many."""
    return json_answer(await api_of(request).core.world.users_of_knowledge_base(caller, key))


@routes.delete("/knowledge-bases/{key}", **answers(204, None, 404, 409))
async def delete_knowledge_base(request: Request, caller: Deleter, key: str) -> Response:
    """Remove a knowledge base and all that is in it."""
    await api_of(request).core.world.delete_knowledge_base(caller, key)
    return no_content()


@routes.post("/knowledge-bases/{key}/_search", **answers(200, SearchAnswer, 404, 413, 415))
async def search_knowledge_base(
    request: Request, caller: Reader, key: str, query: Annotated[SearchInput, Depends(JsonBody(SearchInput))]
) -> Response:
    """What is nearest to the query."""
    if not 1 <= query.limit <= 200:
        raise InvalidInput.one("limit", "must be from 1 to 200", query.limit)
    core = api_of(request).core
    began = core.clock.monotonic()
    found = await core.world.search(caller, key, query)
    return json_answer(SearchAnswer(items=found, took=round(core.clock.monotonic() - began, 6)))
