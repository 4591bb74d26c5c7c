"""Missed fires that are still to run: what waits for an operator, and what waits for its turn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidationInfo, field_validator

from shared.models.base import Input, Instant, Resource

Take = Literal["all", "latest"]


class HeldJob(Resource):
    """One job's missed fires. `waiting`: for an operator; `released`: for their turn. `stopped`: why none of them
    starts although they are released."""

    job_id: str
    job_name: str
    slug: str
    waiting: int
    released: int
    oldest: Instant
    newest: Instant
    stopped: Literal["paused", "disabled"] | None = None


class Backlog(Resource):
    """What waits in the caller's account. `threshold` and `rate` (a minute) are the agent's, of all accounts."""

    waiting: int
    released: int
    threshold: int
    rate: int
    items: list[HeldJob]


class HeldChoice(Input):
    """Which held fires: of these jobs (ids, slugs or names; null: of all), due in [since, until]."""

    jobs: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @field_validator("until")
    @classmethod
    def _not_before_since(cls, until: AwareDatetime | None, given: ValidationInfo) -> AwareDatetime | None:
        since = given.data.get("since")
        if since and until and until < since:
            raise ValueError("must not lie before since")
        return until


class ReleaseChoice(HeldChoice):
    """`take`: `latest` runs only the newest chosen fire of each job, which then stands for the others."""

    take: Take = "all"


class HeldDecision(Resource):
    """How many fires it decided. `closed`: not released, for the job's window is over; `left`: they go on waiting,
    for their jobs are paused or disabled."""

    released: int = 0
    coalesced: int = 0
    closed: int = 0
    discarded: int = 0
    left: int = 0
