"""Steps of a run in lines: reasons are told in full, attempts apart, an action's own steps below it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from console.render.look import UNICODE
from console.screens.run_detail.steps import step_lines
from console.theme import look_of
from shared.models import Step

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REASON = 'its condition is false: results["main"]["rows_synced"] > 0 and ok("Tell the team") and not any_failed()'


def step(position: int, title: str, state: Any, attempt: int = 1, **fields: Any) -> Step:
    given = {"key": title.lower(), "started_at": NOW - timedelta(seconds=3), "finished_at": NOW, **fields}
    return Step(run_id="r", position=position, attempt=attempt, title=title, state=state, **given)


def shown(*steps: Step, width: int = 80) -> list[str]:
    lines = [line.plain.rstrip() for line in step_lines(steps, NOW, look_of("dark", UNICODE), width)]
    assert all(len(line) <= width for line in lines)
    return lines


def test_a_reason_that_has_no_room_stands_below_in_full() -> None:
    lines = shown(step(1, "kb-sync", "completed"), step(2, "Tell the team", "skipped", message=REASON))
    assert lines[0] == "Steps"
    assert "kb-sync" in lines[1]
    assert lines[1].endswith("3s")
    assert lines[2].endswith("Tell the team"), "what was skipped took no time"
    assert " ".join(line.strip() for line in lines[3:]) == REASON


def test_a_short_reason_stands_beside() -> None:
    (_, line) = shown(step(1, "Mail", "failed", message="550 no such user"))
    assert line.endswith("550 no such user")


def test_attempts_are_told_apart_and_inner_steps_stand_below_their_action() -> None:
    lines = shown(
        step(2, "Mail", "completed", attempt=2),
        step(1, "kb-sync", "skipped", attempt=2, message="completed in an earlier attempt"),
        step(1, "kb-sync", "completed"),
        step(2, "Mail: Render", "failed", key="mail/render"),
    )
    assert [line.strip() for line in (lines[1], lines[4])] == ["attempt 1", "attempt 2"]
    assert lines[3].index("Mail: Render") == lines[2].index("kb-sync") + 2
    assert "completed in an earlier attempt" in lines[5]


def test_a_run_without_steps_has_no_lines() -> None:
    assert shown() == []
