"""A draft: an unpublished edit of a job, or a job that is not published yet."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from shared.models.base import Instant, Resource
from shared.models.job import Action, IntervalType, JobDataset, JobInput, Policies


class DraftInput(JobInput):
    """A definition that need not be finished: how it is written is checked, what it says when it is published."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    type: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""


class Draft(Resource):
    """A draft as the API answers it, much like a job. `version` moves with every change."""

    id: str
    editing_id: str | None = None
    """The job that it is an edit of; None: a job that does not exist yet."""
    based_on: int | None = None
    """The job's revision from which it was made, or onto which it was last rebased."""
    name: str = ""
    slug: str | None = None
    type: str = ""
    description: str = ""
    tags: list[str] = []
    owner_id: str
    """Whose draft it is: nobody else sees it."""
    account_id: str
    interval_type: IntervalType = "none"
    interval: str | None = None
    timezone: str = "UTC"
    start_on: str | None = None
    end_on: str | None = None
    enabled: bool = True
    data: dict[str, Any] = {}
    policies: Policies = Policies()
    actions: list[Action] = []
    datasets: list[JobDataset] = []
    version: int = 1
    created_at: Instant
    updated_at: Instant

    @property
    def definition(self) -> DraftInput:
        return DraftInput.model_validate({name: getattr(self, name) for name in DraftInput.model_fields})
