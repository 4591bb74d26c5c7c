"""What was done, by whom, and who was refused."""

from __future__ import annotations

from typing import Literal

from shared.models.base import Instant, Resource

AuditOutcome = Literal["done", "refused"]


class AuditEntry(Resource):
    """`act` is the operation's name as in /openapi.json; `event` what came of it, if the store told one. `count` and
    `last_at`: the same again, up to then; of refusals, and of an act that changed much at once."""

    number: int
    at: Instant
    account_id: str
    user_id: str
    handle: str
    via: str
    token_id: str | None = None
    address: str | None = None
    client: str | None = None
    act: str
    event: str | None = None
    subject_id: str
    subject_name: str | None = None
    revision: int | None = None
    outcome: AuditOutcome
    reason: str | None = None
    count: int = 1
    last_at: Instant
