"""Whatever a driver's code hands over, its run ends with a reason and its worker goes on."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.wire import Checkpointed, StepChanged
from tests.acceptance.workers.stage import Stage, until

_SAID = {
    "bytes": "ab�",
    "surrogate": "a?b",
    "moment": "2026-01-02T03:04:00Z",
    "decimal": "1.10",
    "set": [1],
    "hidden": [{"text": "•••"}, "•••", "/•••"],
    "unspeakable": "<Unspeakable without a text: RuntimeError>",
}


async def _odd(stage: Stage, entry: str, what: str) -> Any:
    return await stage.run(f"jobdeck_odd_drivers:{entry}", {"what": what}, secrets={"key": "my-secret"})


async def _goes_on(stage: Stage) -> None:
    [worker] = stage.executor.workers()
    assert (await stage.run("nothing")).outcome == "completed"
    assert [each.id for each in stage.executor.workers()] == [worker.id]


@pytest.mark.parametrize("what", [*_SAID, "keys"])
async def test_what_json_has_nothing_for_is_kept_as_its_text(stage: Stage, what: str) -> None:
    ended = await _odd(stage, "result", what)
    assert (ended.outcome, ended.error) == ("completed", None)
    if what == "keys":
        assert sorted(ended.result["odd"].values()) == [3, 4]
    else:
        assert ended.result == {"odd": _SAID[what]}
    await _goes_on(stage)


async def test_what_contains_itself_fails_by_name(stage: Stage) -> None:
    ended = await _odd(stage, "result", "endless")
    assert (ended.outcome, ended.error.kind) == ("failed", "result_too_deep")
    await _goes_on(stage)


async def test_what_a_failed_run_has_done_is_masked_like_a_result(stage: Stage) -> None:
    ended = await _odd(stage, "failure", "hidden")
    assert (ended.error.kind, ended.result) == ("half", {"odd": _SAID["hidden"]})


async def test_and_left_out_where_it_cannot_be_kept(stage: Stage) -> None:
    ended = await _odd(stage, "failure", "endless")
    assert (ended.outcome, ended.error.kind, ended.result) == ("failed", "half", None)
    assert [line for line in stage.log(ended.run_id) if "is not kept: the result is nested deeper" in line]


@pytest.mark.parametrize("what", _SAID)
async def test_what_a_step_has_brought(stage: Stage, what: str) -> None:
    ended = await _odd(stage, "step", what)
    assert ended.outcome == "completed"
    last = stage.of(ended.run_id, StepChanged)[-1]
    assert (last.title, last.result) == ("One •••", {"odd": _SAID[what]})


@pytest.mark.parametrize("what", ["unspeakable", "keys", "surrogate", "bytes"])
async def test_what_is_saved_holds_nothing_up(stage: Stage, what: str) -> None:
    run = await stage.give("jobdeck_odd_drivers:checkpoint", {"what": what})
    await until(lambda: stage.of(run, Checkpointed) and "further" in stage.log(run))
    stage.executor.cancel(run)
    assert (await stage.ending(run)).ended is not None
    await _goes_on(stage)


@pytest.mark.parametrize(
    ("call", "arguments", "said"),
    [
        ("progress", [0.5], "progress: done is a whole number of at most 9223372036854775807, not float 0.5"),
        ("progress", [1, "ten"], "progress: total is a whole number of at most 9223372036854775807, not str ten"),
        ("progress", [2**63], "progress: done is a whole number of at most"),
        ("save_checkpoint", [[1]], "save_checkpoint takes a dict of at most 80 levels, not list [1]"),
    ],
)
async def test_what_no_store_holds_is_refused_where_it_is_said(
    stage: Stage, call: str, arguments: list[Any], said: str
) -> None:
    ended = await stage.run("jobdeck_odd_drivers:calls", {"call": call, "arguments": arguments})
    assert ended.outcome == "failed"
    assert ended.error is not None
    assert ended.error.message.startswith(f"ValueError: {said}")
    await _goes_on(stage)


async def test_an_error_without_a_text_is_one_all_the_same(stage: Stage) -> None:
    ended = await stage.run("jobdeck_odd_drivers:without_words")
    assert ended.error is not None
    assert ended.error.message == "Unspeakable: <Unspeakable without a text: RuntimeError>"
    await _goes_on(stage)
