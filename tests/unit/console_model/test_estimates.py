from __future__ import annotations

from datetime import timedelta

import pytest

from console.model.estimates import elapsed, fraction, is_late, kill_in, overdue, remaining
from console.model.link import Link
from shared.models import Progress
from shared.states import RunState
from tests.unit.console_model.makers import NOW, run

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("expected", "done", "left"),
    [
        (600, 0, 540),  # history alone: ten minutes, one is over
        (None, 25, 180),  # pace alone: a quarter in one minute
        (None, 0, None),  # nothing to go by
        (30, 0, None),  # history is used up, no pace
        (30, 50, 60),  # history is used up: the pace alone
        (600, 50, 300),  # half of 540 and half of 60
    ],
)
def test_remaining(expected: float | None, done: int, left: float | None) -> None:
    running = run(
        1, RunState.RUNNING, started_at=NOW, expected_seconds=expected, progress=Progress(done=done, total=100)
    )
    assert remaining(running, NOW + MINUTE) == (None if left is None else timedelta(seconds=left))


def test_late_only_while_running_and_past_the_mark() -> None:
    running = run(1, RunState.RUNNING, started_at=NOW, late_after_seconds=90)
    assert not is_late(running, NOW + MINUTE)
    assert is_late(running, NOW + 2 * MINUTE)
    over = running.model_copy(update={"finished_at": NOW + 2 * MINUTE, "state": RunState.COMPLETED})
    assert not is_late(over, NOW + 9 * MINUTE)
    assert elapsed(over, NOW + 9 * MINUTE) == 2 * MINUTE
    assert remaining(over, NOW) is None


def test_what_has_not_started_has_no_time_but_can_be_overdue() -> None:
    pending = run(1)
    assert elapsed(pending, NOW) is None
    assert overdue(pending, NOW + MINUTE) == MINUTE
    assert overdue(pending, NOW - MINUTE) is None


def test_clocks_that_differ_never_give_negative_spans() -> None:
    running = run(1, RunState.RUNNING, started_at=NOW, cancel_deadline_at=NOW)
    assert elapsed(running, NOW - MINUTE) == timedelta(0)
    assert kill_in(running, NOW + MINUTE) == timedelta(0)


def test_fraction_needs_a_total_and_never_exceeds_one() -> None:
    assert fraction(run(1, progress=Progress(done=5))) is None
    assert fraction(run(1, progress=Progress(done=15, total=10))) == 1.0


def test_data_age_from_the_cut_on() -> None:
    link = Link()
    assert link.age(NOW) is None
    link = link.up(NOW).down(NOW + MINUTE, "cut").down(NOW + MINUTE, "no agent listens")
    assert (link.online, link.reason) == (False, "no agent listens")
    assert link.age(NOW + 3 * MINUTE) == 2 * MINUTE
