"""Datasets, their snapshots, and the rows in them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, Items, answers, json_answer, no_content, versioned
from agent.api.auth import Deleter, Editor, Reader, Runner
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.core.records import RowsQuery
from shared.models import JobUsers, Run
from shared.models.base import Input
from shared.models.dataset import Dataset, DatasetInput, DatasetRows, NewDataset, Snapshot

routes = APIRouter(prefix="/api", tags=["datasets"])

_READ_ONLY = frozenset(
    field.alias or name for name, field in Dataset.model_fields.items() if name not in DatasetInput.model_fields
)
New = Annotated[NewDataset, Depends(JsonBody(NewDataset, read_only=_READ_ONLY - {"visibility"}))]
Definition = Annotated[DatasetInput, Depends(JsonBody(DatasetInput, read_only=_READ_ONLY))]


class RowsAsked(Input):
    snapshot: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    where: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0


@routes.get("/datasets", **answers(200, Items[Dataset]))
async def list_datasets(request: Request, caller: Reader) -> Response:
    """The datasets that the caller may see."""
    return json_answer(Items[Dataset](items=await api_of(request).core.datasets.list(caller)))


@routes.post("/datasets", **answers(201, Dataset, 409, 413, 415))
async def create_dataset(request: Request, caller: Editor, given: New) -> Response:
    """Make a dataset; its first snapshot comes with a refresh or an import."""
    made = await api_of(request).core.datasets.create(caller, given)
    return versioned(made, 201, {"Location": f"/api/datasets/{made.id}"})


@routes.get("/datasets/{key}", **answers(200, Dataset, 404))
async def get_dataset(request: Request, caller: Reader, key: str) -> Response:
    """One dataset, by id or name."""
    return versioned(await api_of(request).core.datasets.get(caller, key))


@routes.get("/datasets/{key}/jobs", **answers(200, JobUsers, 404))
async def list_users_of_dataset(request: Request, caller: Reader, key: str) -> Response:
    """The jobs that work with a dataset, and fail without it; of those that the caller may not see, how many."""
    return json_answer(await api_of(request).core.datasets.users(caller, key))


@routes.put("/datasets/{key}", **answers(200, Dataset, 404, 409, 413, 415))
async def replace_dataset(
    request: Request, caller: Editor, expected: ExpectedVersion, key: str, given: Definition
) -> Response:
    """Say anew what it is; the snapshots that there are stay."""
    return versioned(await api_of(request).core.datasets.replace(caller, key, given, expected))


@routes.delete("/datasets/{key}", **answers(204, None, 404, 409))
async def delete_dataset(request: Request, caller: Deleter, expected: ExpectedVersion, key: str) -> Response:
    """Remove a dataset with all its snapshots; jobs that name it fail from then on."""
    await api_of(request).core.datasets.delete(caller, key, expected)
    return no_content()


@routes.post("/datasets/{key}/_refresh", **answers(202, Run, 404, 409))
async def refresh_dataset(request: Request, caller: Runner, key: str) -> Response:
    """Run its query now, by the job `Refresh <name>`, which is made if there is none."""
    run = await api_of(request).core.datasets.refresh(caller, key)
    return json_answer(run, 202, {"Location": f"/api/runs/{run.id}"})


@routes.get("/datasets/{key}/snapshots", **answers(200, Items[Snapshot], 404))
async def list_snapshots(request: Request, caller: Reader, key: str) -> Response:
    """Its snapshots, newest first."""
    return json_answer(Items[Snapshot](items=await api_of(request).core.datasets.snapshots(caller, key)))


@routes.delete("/datasets/{key}/snapshots/{snapshot_id}", **answers(204, None, 404))
async def delete_snapshot(request: Request, caller: Deleter, key: str, snapshot_id: str) -> Response:
    """Remove one snapshot."""
    await api_of(request).core.datasets.delete_snapshot(caller, key, snapshot_id)
    return no_content()


@routes.get("/datasets/{key}/rows", **answers(200, DatasetRows, 404))
async def read_rows(request: Request, caller: Reader, key: str, asked: Annotated[RowsAsked, Query()]) -> Response:
    """A page of a snapshot's rows, of the latest unless one is named; `where` is a condition in DuckDB's SQL."""
    query = RowsQuery(where=asked.where, start=asked.offset, limit=asked.limit)
    return json_answer(await api_of(request).core.datasets.rows(caller, key, query, asked.snapshot))
