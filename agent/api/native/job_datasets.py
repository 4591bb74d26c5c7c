"""The datasets of a job or a draft, one by one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from agent.api.answers import ExpectedVersion, answers, json_answer, no_content
from agent.api.auth import Editor, Reader
from agent.api.bodies import JsonBody
from agent.api.context import api_of
from agent.api.hal import HalPage, Link, Links, hal_list
from shared.models.base import Resource
from shared.models.dataset import Dataset
from shared.models.job import JobDataset, Snapshots

routes = APIRouter(prefix="/api", tags=["jobs"])


class LinkedJobDataset(Resource):
    """`permitted`: the dataset is there, and the caller may see it; checked again for the job's owner at each run."""

    links: Links = Field(alias="_links")
    alias: str
    dataset_id: str
    dataset_name: str | None = None
    index: int | None = None
    snapshots: Snapshots | None = None
    permitted: bool


_READ_ONLY = frozenset({"_links", "datasetName", "permitted"})
Given = Annotated[JobDataset, Depends(JsonBody(JobDataset, read_only=_READ_ONLY))]


@routes.get("/jobs/{job_id}/datasets", **answers(200, HalPage[LinkedJobDataset], 404))
async def list_job_datasets(request: Request, caller: Reader, job_id: str) -> Response:
    """The job's datasets, by their index."""
    found = await api_of(request).core.job_datasets.list(caller, job_id)
    return json_answer(hal_list(request.url, "inf:job-dataset", [_linked(job_id, *one) for one in found]))


@routes.post("/jobs/{job_id}/datasets", **answers(201, LinkedJobDataset, 404, 409, 413, 415))
async def add_job_dataset(request: Request, caller: Editor, job_id: str, given: Given) -> Response:
    """Attach a dataset under an alias."""
    made = _linked(job_id, *await api_of(request).core.job_datasets.add(caller, job_id, given))
    return json_answer(made, 201, {"Location": made.links["self"].href})


@routes.get("/jobs/{job_id}/datasets/{alias}", **answers(200, LinkedJobDataset, 404))
async def get_job_dataset(request: Request, caller: Reader, job_id: str, alias: str) -> Response:
    """One of the job's datasets."""
    return json_answer(_linked(job_id, *await api_of(request).core.job_datasets.get(caller, job_id, alias)))


@routes.put("/jobs/{job_id}/datasets/{alias}", **answers(200, LinkedJobDataset, 404, 409, 413, 415))
async def put_job_dataset(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, alias: str, given: Given
) -> Response:
    """Say anew what is behind the alias."""
    changed = await api_of(request).core.job_datasets.put(caller, job_id, alias, given, expected)
    return json_answer(_linked(job_id, *changed))


@routes.delete("/jobs/{job_id}/datasets/{alias}", **answers(204, None, 404, 409))
async def remove_job_dataset(
    request: Request, caller: Editor, expected: ExpectedVersion, job_id: str, alias: str
) -> Response:
    """Take a dataset from the job; the dataset itself stays."""
    await api_of(request).core.job_datasets.remove(caller, job_id, alias, expected)
    return no_content()


def _linked(job_id: str, one: JobDataset, behind: Dataset | None) -> LinkedJobDataset:
    links = {"self": Link(href=f"/api/jobs/{job_id}/datasets/{one.alias}")}
    if behind is not None:
        links["inf:dataset"] = Link(href=f"/api/datasets/{behind.id}")
    name = behind.name if behind else None
    return LinkedJobDataset.model_construct(
        **one.__dict__, links=links, dataset_name=name, permitted=behind is not None
    )
