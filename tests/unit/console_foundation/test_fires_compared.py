"""When a job fires after an edit, as comparisons tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.client.answers import Comparison, NextFires
from console.screens.edit.review import changes
from console.theme import look_of
from shared.models.applying import Difference

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
EVERY_MINUTE = [NOW + timedelta(minutes=number) for number in range(1, 6)]
HOURLY = [NOW + timedelta(hours=number) for number in range(1, 6)]


def told(fires: NextFires) -> list[str]:
    compared = Comparison(fields=[Difference(field="interval", before="a", after="b")], next_fires=fires)
    lines = [line.plain for line in changes(compared, "UTC", look_of("dark"))]
    return lines[lines.index("Next fires") + 1 :]


def test_of_a_slower_schedule_the_next_fire_is_told_too() -> None:
    lines = told(NextFires(before=EVERY_MINUTE, after=HOURLY))
    assert [line.strip()[0] for line in lines[:-1]] == ["-"] * 5
    assert lines[-1] == "    Mon 2026-03-02 05:00:00 UTC  the next one then"


def test_of_a_faster_schedule_all_is_told_as_far_as_both_are_known() -> None:
    assert [line[:3] for line in told(NextFires(before=HOURLY, after=EVERY_MINUTE))] == ["  +"] * 5


@pytest.mark.parametrize("after", [[], EVERY_MINUTE[:1]])
def test_what_no_longer_fires_and_what_still_does_need_no_more(after: list[datetime]) -> None:
    lines = told(NextFires(before=EVERY_MINUTE, after=after))
    assert len(lines) == 5
    assert not any("then" in line for line in lines)
