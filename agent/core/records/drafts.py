"""A draft as the store is given it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.models import DraftInput


@dataclass(frozen=True, slots=True)
class NewDraft:
    """`editing_id`, `based_on`: the job that it is an edit of, and which revision; None: of a job that is not yet."""

    id: str
    account_id: str
    owner_id: str
    definition: DraftInput
    editing_id: str | None = None
    based_on: int | None = None


@dataclass(frozen=True, slots=True)
class DraftMark:
    """The draft that is published, and goes with it, as it was looked at."""

    id: str
    version: int
