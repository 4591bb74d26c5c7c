"""What was missed while the agent was away, as an operator decides it."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import job_id, text_of, until
from tests.harness.night import fixed_night
from tests.harness.stand_in import StandIn


def asked(pilot: Pilot[None]) -> str:
    """The question at the bottom, whole, on however many lines."""
    return " ".join(line.strip() for line in lines(pilot)[-4:])


def missed(agent: StandIn) -> StandIn:
    agent.held = (1245, 4)
    return fixed_night(agent)


async def test_from_the_line_over_the_runs_to_a_decision(agent: StandIn) -> None:
    async with opened(missed(agent)) as pilot:
        await until(pilot, lambda: "1,245 missed fires of 4 jobs wait for you: m decides" in lines(pilot)[2])
        await pilot.press("m")
        await until(pilot, lambda: screen(pilot).NAME == "catch_up" and "1,200" in lines(pilot)[3])
        assert "1,200 runs, at most 60 a minute, so 20m at least" in text_of(pilot.app)
        await pilot.press("r")
        await until(pilot, lambda: "run 1,200 missed fires of Orders export?" in text_of(pilot.app))
        await pilot.press("enter")
        assert not agent.requests("/api/catch-up/_release"), "no is the default"
        await pilot.press("n")
        await until(pilot, lambda: "the newest missed fire of Orders export, in place of all?" in asked(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "1 released, 1,199 stood for by a later one" in text_of(pilot.app))
        await until(pilot, lambda: "Cleanup" in lines(pilot)[3])
        sent = agent.requests("/api/catch-up/_release")
        assert [(body["jobs"], body["take"], body["since"]) for body in sent] == [([job_id(2)], "latest", None)]
        await pilot.press("escape", "escape")
        await until(pilot, lambda: screen(pilot).NAME == "runs")


async def test_those_of_a_span_and_several_jobs_at_once(agent: StandIn) -> None:
    async with opened(missed(agent)) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: "Nightly backup" in text_of(pilot.app))
        await pilot.press("tab")
        await until(pilot, lambda: "Cleanup" in text_of(pilot.app) and "Nightly" not in text_of(pilot.app))
        await pilot.press("space", "space", "x")
        await until(
            pilot, lambda: "up to 1,209 missed fires of the last hour of 2 jobs? They are never run" in asked(pilot)
        )
        await pilot.press("y")
        await until(pilot, lambda: "1,209 given up" in text_of(pilot.app))
        (body,) = agent.requests("/api/catch-up/_discard")
        assert body["jobs"] == [job_id(2), job_id(6)]
        assert body["since"].startswith("2026-03-02T11:00:00")


async def test_a_paused_job_says_what_keeps_it_and_production_wants_the_count(agent: StandIn) -> None:
    agent.production = True
    async with opened(missed(agent)) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: "paused" in text_of(pilot.app))
        await pilot.press("G")
        await until(pilot, lambda: "nothing of it starts before it is resumed" in text_of(pilot.app))
        await pilot.press("asterisk", "r")
        await until(pilot, lambda: "type 4:" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "type 4:" not in text_of(pilot.app))
        assert not agent.requests("/api/catch-up/_release")
        await pilot.press("r", "4", "enter")
        await until(pilot, lambda: "1,245 released" in text_of(pilot.app))


async def test_who_may_not_run_reads_and_decides_nothing(agent: StandIn) -> None:
    agent.scopes = ["read"]
    async with opened(missed(agent)) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: "Nightly backup" in text_of(pilot.app))
        assert "run all" not in lines(pilot)[-1]
        await pilot.press("r")
        await until(pilot, lambda: "not allowed: to run all needs the scope run; yours: read" in text_of(pilot.app))


async def test_nothing_waits(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: "no missed fire waits: neither for you nor for its turn" in text_of(pilot.app))
