"""A run whose job behaves unlike itself says so, as long as it does."""

from __future__ import annotations

from typing import Any

from console.model.reduce import reduce_all
from shared.models import Event, Job
from tests.functional.run_detail.fixed import NOW, FixedApp, late
from tests.harness.console import text_of, until


def job() -> Job:
    return Job(
        id="job-1", name="Orders into the index", slug="orders-index", type="kb-sync", owner_id="user-1",
        account_id="default", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def sentinel(number: int, kind: str, closed: str | None = None) -> Event:
    data = {"jobId": "job-1", "kind": kind, "closedAt": closed}
    name: Any = "sentinel.closed" if closed else "sentinel.opened"
    return Event(id=number, at=NOW, kind=name, account_id="default", subject_id=f"s-{kind}", data=data)


async def test_its_job_is_marked_while_a_sentinel_of_it_is_open() -> None:
    app = FixedApp(late())
    session = app._shown.session
    session.world.restart([late()], [job()], 1)

    def hear(*events: Event) -> None:
        session.publish(reduce_all(session.world, events))

    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "Steps" in text_of(pilot.app))
        hear(sentinel(2, "too_slow"), sentinel(3, "flapping"))
        await until(pilot, lambda: "Its job  is too slow, flapping" in text_of(pilot.app))
        over = "2026-03-02T12:00:00Z"
        hear(sentinel(4, "too_slow", over), sentinel(5, "flapping", over))
        await until(pilot, lambda: "Its job" not in text_of(pilot.app))
