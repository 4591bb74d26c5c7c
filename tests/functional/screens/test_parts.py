"""What the screens are put together from, by itself."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from console.clipboard import clipboard_sequence
from console.keymap import ACTS, Keymap
from console.model import TriageOrder, View
from console.options import read
from console.render.ages import age, due_in, seconds_to_next
from console.screens.jobs.screen import find_job
from console.screens.rows import CAUSE, Rows
from shared.errors import InvalidInput
from shared.states import RunState
from tests.harness.console import NOW, fixed_jobs, fixed_runs, job_id, run_id


def test_no_two_acts_of_a_screen_share_a_key() -> None:
    keymap = Keymap()
    clashes = [
        (act.id, keymap._holder(key, act)) for act in ACTS.values() for key in act.keys if keymap._holder(key, act)
    ]
    assert clashes == []


def test_remapping_moves_a_key_and_frees_the_old_one() -> None:
    keymap = Keymap({"rerun": ("R",), "run_now": ("r",)})
    assert keymap.faults == []
    assert (keymap.keys("rerun"), keymap.keys("run_now")) == (("R",), ("r",))


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"rerun": ("x",)}, "keys.rerun: x already means 'cancel'"),
        ({"rerun": ("alt+r",)}, "keys.rerun: alt+r is read as esc and a key; take another"),
        ({"rerun": ("space",)}, "keys.rerun: space already means 'mark'"),
        ({"mark": ("m",)}, "keys.mark: there is no act of that name to remap"),
        ({"fly": ("f",)}, "keys.fly: there is no act of that name to remap"),
    ],
)
def test_clashes_are_told_and_the_default_stays(wanted: dict[str, tuple[str, ...]], told: str) -> None:
    keymap = Keymap(wanted)
    assert keymap.faults == [told]
    assert keymap.keys("rerun") == ("r",)


def test_p_may_mean_two_things_on_two_screens() -> None:
    assert Keymap({"pause": ("n",)}).faults == []


def test_clipboard_goes_through_tmux() -> None:
    plain = clipboard_sequence("jobdeck run show 1", {"TERM": "xterm"})
    assert base64.b64decode(plain.removeprefix("\x1b]52;c;").removesuffix("\x07")) == b"jobdeck run show 1"
    inside = clipboard_sequence("jobdeck run show 1", {"TMUX": "/tmp/tmux-0/default"})
    assert inside == plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def test_ages_change_on_the_whole_minute_only() -> None:
    moment = datetime(2026, 3, 2, 11, 50, 30, tzinfo=UTC)
    texts = {age(moment, datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC)) for second in range(60)}
    assert texts == {"9m ago"}
    assert [age(moment, moment + span) for span in (timedelta(hours=2, minutes=1), timedelta(days=3, minutes=1))] == [
        "2h ago",
        "3d ago",
    ]


def test_countdowns_show_seconds_in_the_last_minute_only() -> None:
    now = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
    assert due_in(now + timedelta(seconds=42), now) == "in 42s"
    assert due_in(datetime(2026, 3, 2, 12, 10, tzinfo=UTC), now) == "in 10m"
    assert seconds_to_next(now + timedelta(seconds=42), now) <= 1.1
    assert 29 < seconds_to_next(now + timedelta(minutes=9, seconds=30), now) < 31


def test_options_come_before_the_environment() -> None:
    environ = {"HOME": "/nowhere", "JOBDECK_AGENT": "http://one:1"}
    assert read([], environ).target.url == "http://one:1"
    assert read(["--agent=http://two:2", "--view", "failed"], environ).target.url == "http://two:2"
    with pytest.raises(InvalidInput, match="--agent: needs a value behind it"):
        read(["--agent"], environ)


def test_job_is_found_by_slug_then_beginning_then_anywhere() -> None:
    jobs = fixed_jobs()
    assert [found.id for words in ("orders-export", "Orders", "mailer", job_id(4)) if (found := find_job(words, jobs))] == [
        job_id(2), job_id(2), job_id(3), job_id(4),
    ]  # fmt: skip
    assert find_job("nothing of the kind", jobs) is None


def _rows() -> tuple[Rows, dict, TriageOrder]:
    runs = {run.id: run for run in fixed_runs()}
    order = TriageOrder()
    return Rows(View(runs, order, None, NOW), lambda _: (), order.groups), runs, order


def test_causes_hide_their_runs_until_they_are_opened() -> None:
    rows, runs, _ = _rows()
    refused = CAUSE + "refused"
    assert len(rows) == len(runs) - 15 + 2
    assert rows.index_of(run_id(83)) is None
    rows.toggle(refused)
    assert rows.index_of(run_id(83)) == rows.index_of(refused) + 1
    assert len(rows.members(refused)) == 13
    assert set(rows.ids()) == set(runs), "marking takes runs, not causes"


def test_held_rows_stay_and_opening_a_cause_still_works() -> None:
    from console.model import Changes

    rows, runs, _ = _rows()
    rows.hold()
    before = list(rows.shown)
    runs[run_id(83)] = runs[run_id(83)].model_copy(update={"state": RunState.COMPLETED, "version": 9})
    rows.view.apply(Changes(changed={run_id(83)}), NOW)
    rows.settle()
    assert list(rows.shown) == before
    rows.toggle(CAUSE + "refused")
    assert run_id(83) in rows.shown
    rows.release()
    assert len(rows.members(CAUSE + "refused")) == 12
