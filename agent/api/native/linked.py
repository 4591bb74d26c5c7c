"""Jobs and drafts with the links that contract 004 gives them."""

from __future__ import annotations

from typing import overload

from pydantic import Field

from agent.api.hal import Link, Links, links_to
from shared.models import Draft, Job, JobInput


class LinkedJob(Job):
    links: Links = Field(alias="_links")


class LinkedDraft(Draft):
    links: Links = Field(alias="_links")


READ_ONLY = frozenset(
    field.alias or name
    for model in (LinkedJob, LinkedDraft)
    for name, field in model.model_fields.items()
    if name not in JobInput.model_fields
)
"""What is ignored in a definition, so that what was read can be sent back."""


@overload
def linked(head: Job) -> LinkedJob: ...
@overload
def linked(head: Draft) -> LinkedDraft: ...
def linked(head: Job | Draft) -> LinkedJob | LinkedDraft:
    path = f"/api/jobs/{head.id}"
    if isinstance(head, Draft):
        edited = {"inf:job": Link(href=f"/api/jobs/{head.editing_id}")} if head.editing_id else {}
        return LinkedDraft.model_construct(**head.__dict__, links=links_to(path) | edited)
    below = {"inf:job-history": "history", "inf:job-revision": "revisions", "inf:job-draft": "draft"}
    return LinkedJob.model_construct(**head.__dict__, links=links_to(path, **below))
