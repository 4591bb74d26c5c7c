"""Runs of several steps through real workers: order, conditions, failures, retries, a worker that dies, cancel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.core.wire import ActionOrder, Checkpointed, Ended, Progressed, Settling, StepChanged, Warned
from tests.acceptance.workers.stage import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def steps(pool: Stage, tmp_path: Path) -> Steps:
    pool.folder = tmp_path
    pool.events.clear()
    pool.endings.clear()
    return Steps(pool, tmp_path / "notes")


class Steps:
    """A stage on which jobs of several steps run, and the file that their drivers write into."""

    def __init__(self, stage: Stage, file: Path) -> None:
        self.stage = stage
        self.file = file

    def action(self, name: str, entry: str = "note", **fields: Any) -> ActionOrder:
        data = {"file": str(self.file), "name": name, **fields.pop("data", {})}
        given = {"id": name, "name": name.title(), "type": "test", "entry": f"jobdeck_step_drivers:{entry}"}
        return ActionOrder(**{**given, "data": data, **fields})

    async def run(self, *actions: ActionOrder, main: str = "note", **fields: Any) -> tuple[str, Ended | None]:
        data = {"file": str(self.file), "name": "main", **fields.pop("data", {})}
        run = await self.stage.give(f"jobdeck_step_drivers:{main}", data, actions=list(actions), **fields)
        return run, (await self.stage.ending(run)).ended

    def ran(self) -> list[str]:
        """Names of the steps that ran, in order."""
        return [line.split()[0] for line in self.lines()]

    def keys(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for line in self.lines():
            found.setdefault(line.split()[0], set()).add(line.split()[1])
        return found

    def lines(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    def told(self, run: str, state: str | None = None) -> list[tuple[str, str]]:
        """(key, state) of the steps' last words, by position."""
        last = {event.position: event for event in self.stage.of(run, StepChanged)}
        return [(last[place].key, last[place].state) for place in sorted(last)]

    def message(self, run: str, key: str) -> str:
        return str([event.message for event in self.stage.of(run, StepChanged) if event.key == key][-1])

    def checkpoint(self, run: str) -> dict[str, Any]:
        return dict(self.stage.of(run, Checkpointed)[-1].data)


async def test_the_own_driver_runs_first_and_then_each_action_that_is_to(steps: Steps) -> None:
    run, ended = await steps.run(
        steps.action("one", data={"result": {"n": 1}}),
        steps.action("two", condition='get("one", "n") > 1'),
        steps.action("three", condition='skipped("two") and results["main"]["rows"] == 7'),
        data={"result": {"rows": 7}},
    )
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert steps.ran() == ["main", "one", "three"]
    assert steps.keys() == {"main": {run}, "one": {f"{run}.one"}, "three": {f"{run}.three"}}
    assert ended.result is not None
    assert ended.result["rows"] == 7
    actions = {each["id"]: each for each in ended.result["actions"]}
    assert [each["state"] for each in ended.result["actions"]] == ["completed", "skipped", "completed"]
    assert actions["two"]["message"] == 'its condition is false: get("one", "n") > 1'
    assert actions["three"]["result"]["seen"] == {"main": "completed", "one": "completed", "two": "skipped"}
    assert steps.told(run) == [("main", "completed"), ("one", "completed"), ("two", "skipped"), ("three", "completed")]
    assert steps.message(run, "two") == actions["two"]["message"]
    assert steps.stage.log(run) == [
        "main was here", "and wrote", "[One] one was here", "[One] and wrote",
        '[Two] skipped: its condition is false: get("one", "n") > 1', "[Three] three was here", "[Three] and wrote",
    ]  # fmt: skip
    assert steps.stage.of(run, Progressed)[-1].progress.note == "Three: half"
    results = {event.key: event.result for event in steps.stage.of(run, StepChanged) if event.state == "completed"}
    assert results["one"] == {"n": 1, "seen": {"main": "completed"}}


async def test_a_failed_action_fails_the_run_and_says_which(steps: Steps) -> None:
    run, ended = await steps.run(
        steps.action("one"), steps.action("two", "fail"), steps.action("three"), secrets={"s": "hush"}
    )
    assert ended is not None
    assert ended.error is not None
    assert (ended.outcome, ended.error.kind, ended.error.transient) == ("failed", "Two.no_luck", False)
    assert ended.error.message == "Two (test): it did not work with •••"
    assert steps.ran() == ["main", "one", "two"]
    assert ended.result is not None
    assert [(each["id"], each["state"]) for each in ended.result["actions"]] == [
        ("one", "completed"),
        ("two", "failed"),
    ]
    assert steps.told(run)[-1] == ("two", "failed")
    assert steps.message(run, "two") == "it did not work with •••"


async def test_an_action_that_may_fail_is_a_warning(steps: Steps) -> None:
    run, ended = await steps.run(
        steps.action("one", "fail", on_error="continue", data={"raise": True}),
        steps.action("two", condition='failed("one") and results["one"]["error"] == "error"'),
        steps.action("three", "quit_process", on_error="continue"),
        steps.action("four", condition="any_failed()"),
    )
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert steps.ran() == ["main", "one", "two", "four"]
    assert [event.text for event in steps.stage.of(run, Warned)] == [
        "One failed: ValueError: out of order", "Three failed: SystemExit: 3",
    ]  # fmt: skip
    assert any(line.startswith("[One] Traceback") for line in steps.stage.log(run))


async def test_a_condition_that_cannot_be_answered_fails_its_action(steps: Steps) -> None:
    run, ended = await steps.run(steps.action("one", condition='results["main"]["nothing"] > 0'))
    assert ended is not None
    assert ended.error is not None
    assert ended.error.kind == "One.condition"
    assert "there is no 'nothing' in the results" in ended.error.message
    assert steps.ran() == ["main"]
    assert steps.told(run)[-1] == ("one", "failed")


async def test_when_the_own_driver_fails_no_action_runs(steps: Steps) -> None:
    run, ended = await steps.run(steps.action("one"), main="fail")
    assert ended is not None
    assert ended.error is not None
    assert ended.error.kind == "no_luck"
    assert steps.ran() == ["main"]
    assert steps.told(run) == [("main", "failed")]


async def test_the_next_attempt_goes_on_at_the_step_that_is_not_over(steps: Steps) -> None:
    actions = [steps.action("one"), steps.action("two", "fail", data={"transient": True}), steps.action("three")]
    run, ended = await steps.run(*actions, run_id="again")
    assert ended is not None
    assert ended.error is not None
    assert ended.error.transient
    reached = steps.checkpoint(run)
    steps.stage.endings.clear()
    steps.stage.events.clear()
    actions[1] = steps.action("two")
    _, ended = await steps.run(*actions, run_id="again", attempt=2, checkpoint=reached)
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert steps.ran() == ["main", "one", "two", "two", "three"]
    assert {name: len(keys) for name, keys in steps.keys().items()} == {"main": 1, "one": 1, "two": 1, "three": 1}
    assert steps.told(run) == [("main", "skipped"), ("one", "skipped"), ("two", "completed"), ("three", "completed")]
    assert steps.message(run, "one") == "completed in an earlier attempt"
    assert ended.result is not None
    assert [each["state"] for each in ended.result["actions"]] == ["completed"] * 3


async def test_a_worker_that_dies_in_a_step_has_told_what_was_over(steps: Steps) -> None:
    """KILL in the middle: what was done before is not done again, and the step goes on from its own checkpoint."""
    actions = [steps.action("one"), steps.action("two", "exit_hard"), steps.action("three")]
    run, ended = await steps.run(*actions, run_id="killed")
    assert ended is None
    reached = steps.checkpoint(run)
    assert list(reached["done"]) == ["main", "one"]
    assert ("two/inner", "completed") in steps.told(run)
    steps.stage.endings.clear()
    _, ended = await steps.run(*actions, run_id="killed", attempt=2, checkpoint=reached)
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert ended.result is not None
    assert ended.result["actions"][1]["result"] == {"own": {"half": 1}}
    assert steps.ran() == ["main", "one", "two", "two", "three"]
    assert len(steps.keys()["two"]) == 1, "one idempotency key in both attempts"


async def test_no_step_begins_before_the_ends_of_those_before_it_are_stored(steps: Steps) -> None:
    steps.stage.full = True
    data = {"file": str(steps.file), "name": "main"}
    run = await steps.stage.give("jobdeck_step_drivers:note", data, actions=[steps.action("one"), steps.action("two")])
    await until(lambda: steps.stage.of(run, Settling))
    assert list(steps.checkpoint(run)["done"]) == ["main"], "it is told before the answer is waited for"
    assert steps.ran() == ["main"]
    steps.stage.full = False
    steps.stage.executor.settled(run)
    assert (await steps.stage.ending(run)).ended
    assert steps.ran() == ["main", "one", "two"]


async def test_a_cancel_ends_the_wait_for_a_store_that_takes_nothing(steps: Steps) -> None:
    steps.stage.full = True
    data = {"file": str(steps.file), "name": "main"}
    run = await steps.stage.give("jobdeck_step_drivers:note", data, actions=[steps.action("one")])
    await until(lambda: steps.stage.of(run, Settling))
    steps.stage.executor.cancel(run)
    ended = (await steps.stage.ending(run)).ended
    steps.stage.full = False
    assert ended is not None
    assert ended.outcome == "cancelled"
    assert (steps.ran(), steps.told(run)[-1]) == (["main"], ("one", "cancelled"))


@pytest.mark.parametrize("reason", ["cancel", "timeout"])
async def test_cancel_and_timeout_end_it_within_a_step(steps: Steps, reason: str) -> None:
    fields: dict[str, Any] = {"timeout": 0.2} if reason == "timeout" else {}
    data = {"file": str(steps.file), "name": "main"}
    actions = [steps.action("one", "wait"), steps.action("two")]
    run = await steps.stage.give("jobdeck_step_drivers:note", data, actions=actions, **fields)
    if reason == "cancel":
        await until(lambda: "[One] ready" in steps.stage.log(run))
        steps.stage.executor.cancel(run)
    ended = (await steps.stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == ("cancelled" if reason == "cancel" else "failed")
    assert ended.error is None or ended.error.kind == "timeout"
    assert steps.ran() == ["main"]
    assert steps.told(run) == [("main", "completed"), ("one", "cancelled")]


async def test_results_that_are_too_large_together_fail_the_one_that_is_too_much(steps: Steps) -> None:
    half = {"data": {"size": 2_500_000}}
    _, ended = await steps.run(steps.action("one", "large", **half), steps.action("two", "large", **half))
    assert ended is not None
    assert ended.error is not None
    assert ended.error.kind == "Two.result_too_large"


async def test_a_failure_that_comes_of_the_cancel_is_a_cancelled_step(steps: Steps) -> None:
    data = {"file": str(steps.file), "name": "main"}
    given = [steps.action("one", "fail_when_cancelled", on_error="continue"), steps.action("two")]
    run = await steps.stage.give("jobdeck_step_drivers:note", data, actions=given)
    await until(lambda: "[One] ready" in steps.stage.log(run))
    steps.stage.executor.cancel(run)
    ended = (await steps.stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "cancelled"
    assert steps.ran() == ["main"]
    assert steps.told(run)[-1] == ("one", "cancelled")
    assert "[One] while stopping: unreachable: connection reset" in steps.stage.log(run)


async def test_results_are_plain_values_to_the_steps_after(steps: Steps) -> None:
    _, ended = await steps.run(
        steps.action("one", condition='results["main"]["path"] == "/tmp/x" and "2020" in results["main"]["moment"]'),
        steps.action("two", condition='results["main"]["7"] == "seven"'),
        main="strange",
    )
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert steps.ran() == ["one", "two"]
