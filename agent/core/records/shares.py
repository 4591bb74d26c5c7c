"""What is shared."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.permissions.rules import ResourceKind
from shared.models.share import AccessLevel


@dataclass(frozen=True, slots=True)
class NewShare:
    """`principal`: a user's id or handle, or `everyone`; `by`: the handle of who shares."""

    account_id: str
    kind: ResourceKind
    subject_id: str
    principal: str
    level: AccessLevel
    by: str
