"""What is kept of refusals while the store cannot be written."""

from __future__ import annotations

from typing import Any

from agent.core.permissions.audit import Acting
from agent.core.records import AuditQuery
from shared.errors import Unavailable
from tests.functional.agent.stage import Stage


async def test_a_refusal_that_cannot_be_written_stays_one_and_the_next_is_recorded(stage: Stage) -> None:
    store, who = stage.agent.sql, Acting(stage.me, "delete_job", "orders")
    written = store.insert_refusal

    async def full(*_: Any) -> int:
        raise Unavailable("the disk is full")

    store.insert_refusal = full  # type: ignore[method-assign]
    await stage.core.audit.refused(who, "not yours")
    store.insert_refusal = written  # type: ignore[method-assign]
    await stage.core.audit.refused(who, "not yours")
    [row] = await stage.core.audit.list(stage.me, AuditQuery(outcome="refused"))
    assert (row.act, row.subject_id, row.count) == ("delete_job", "orders", 1)
