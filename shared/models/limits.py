"""How much an account may have."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from shared.durations import Duration
from shared.models.base import Input, Resource
from shared.sizes import Size

Count = Annotated[int, Field(ge=0)]


class AccountLimits(Input):
    """None: no limit of this kind; in an account's own, what the setting `limits` says."""

    active_jobs: Count | None = None
    """Enabled, not deleted, window not over."""
    waiting_runs: Count | None = None
    """Pending: made, and not begun."""
    tokens: Count | None = None
    """That still open something."""
    stored_bytes: Size | None = None
    """In snapshots of datasets and in what is attached to actions."""
    knowledge_rows: Count | None = None
    """In all its knowledge bases together."""
    min_interval: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    """Between two fires of a job."""
    max_job_duration: Annotated[Duration, Field(gt=timedelta(0))] | None = None
    """From a schedule's begin to its end; without an end it has none."""


class AccountUse(Resource):
    """What an account has of what is limited."""

    active_jobs: int = 0
    waiting_runs: int = 0
    tokens: int = 0
    stored_bytes: int = 0
    knowledge_rows: int = 0


class AccountAllowance(Resource):
    """`own`: what was said for this account; `limits`: what holds for it, with the setting `limits` where it has none
    of its own."""

    account_id: str
    own: AccountLimits
    limits: AccountLimits
    use: AccountUse
