"""Screen 2: jobs."""

from __future__ import annotations

from datetime import timedelta

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import console_on, job_id, text_of, until
from tests.harness.stand_in import StandIn


async def test_schedule_in_words_next_fire_strip_and_mark(agent: StandIn) -> None:
    async with opened(agent, view="jobs") as pilot:
        await until(pilot, lambda: screen(pilot).NAME == "jobs" and "Nightly backup" in text_of(pilot.app))
        rows = {line[6:18].strip(): line for line in lines(pilot)[3:13]}
        assert "● E" in rows["Orders expor"]
        assert "every 10 minutes" in rows["Orders expor"]
        assert "in 10m" in rows["Orders expor"]
        assert "▂▂▂▂▂▂▂▂▂███████████" in rows["Orders expor"]
        assert "‖ P" in rows["Customers in"]
        assert "paused" in rows["Customers in"]
        assert "· -" in rows["Old import"]


async def test_a_job_that_behaves_unlike_itself_is_marked_as_the_agent_says_so(agent: StandIn) -> None:
    def row(pilot: object) -> str:
        return next((line for line in lines(pilot) if "Orders expor" in line), "")  # type: ignore[arg-type]

    told = {"jobId": job_id(2), "kind": "too_slow"}
    async with opened(agent, view="jobs") as pilot:
        await until(pilot, lambda: "● E" in row(pilot))
        agent.tell("sentinel.opened", "s-1", told)
        await until(pilot, lambda: "! E" in row(pilot))
        screen(pilot).table.move_to(job_id(2))
        await until(pilot, lambda: "too slow" in text_of(pilot.app))
        agent.tell("sentinel.closed", "s-1", {**told, "closedAt": "2026-03-01T12:00:00Z"})
        await until(pilot, lambda: "● E" in row(pilot) and "too slow" not in text_of(pilot.app))


async def test_the_next_fire_moves_on_with_every_fire(agent: StandIn) -> None:
    def row(pilot: object, name: str) -> str:
        return next((line for line in lines(pilot) if name in line), "")  # type: ignore[arg-type]

    def fired(job: int, minutes: int) -> None:
        moment = (agent.now + timedelta(minutes=minutes)).isoformat()
        agent.tell("fire.recorded", job_id(job), {"jobId": job_id(job), "nextRunAt": moment})

    async with opened(agent, view="jobs") as pilot:
        await until(pilot, lambda: "in 10m" in row(pilot, "Orders export"))
        fired(2, 20)
        fired(7, 20)
        await until(pilot, lambda: "in 20m" in row(pilot, "Orders export"))
        assert "paused" in row(pilot, "Customers into"), "what was due before the pause is not due in it"
        agent.tell("fire.recorded", job_id(2), {"jobId": job_id(2), "nextRunAt": None})
        await until(pilot, lambda: "never" in row(pilot, "Orders export"))


async def test_what_a_job_takes_reads_like_words(agent: StandIn) -> None:
    data = {"expect": {"status": [200]}, "follow": True, "cwd": None, "limits": {"memory_mb": None}, "exits": [0, 75]}
    agent.jobs[job_id(2)] = agent.jobs[job_id(2)].model_copy(update={"data": data})
    async with opened(agent, (160, 48), view="jobs") as pilot:
        await until(pilot, lambda: "Orders expor" in text_of(pilot.app))
        screen(pilot).table.move_to(job_id(2))
        await until(pilot, lambda: '{"status": [200]}' in text_of(pilot.app))
        assert all(part in text_of(pilot.app) for part in ("follow     yes", "exits      0, 75"))
        assert "memory_mb" not in text_of(pilot.app), "what says nothing is not told"


async def test_missed_fires_that_wait_are_told_while_they_do(agent: StandIn) -> None:
    said = "1,240 missed fires of 12 jobs wait for you: m decides"
    agent.held = (1240, 12)
    async with opened(agent, view="jobs") as pilot:
        await until(pilot, lambda: said in lines(pilot)[2])
        agent.tell(
            "catch_up.changed", "main", {"act": "discarded", "by": "ops", "count": 1239, "waiting": 1, "jobs": 1}
        )
        await until(pilot, lambda: "! 1 missed fire of 1 job waits for you" in lines(pilot)[2])
        agent.tell("catch_up.changed", "main", {"act": "released", "by": "ops", "count": 1, "waiting": 0, "jobs": 0})
        await until(pilot, lambda: "wait" not in lines(pilot)[2] and "Orders expor" in text_of(pilot.app))
        agent.tell("catch_up.changed", "main", {"act": "held", "by": None, "count": 2, "waiting": 2, "jobs": 1})
        await until(pilot, lambda: "2 missed fires of 1 job wait for you" in lines(pilot)[2])
        agent.held = (5, 3)  # who does not see all jobs is told no counts, and asks
        masked = {"count": None, "waiting": None, "jobs": None, "jobIds": None}
        agent.tell("catch_up.changed", "main", {"act": "held", "by": None, **masked})
        await until(pilot, lambda: "5 missed fires of 3 jobs wait for you" in lines(pilot)[2])


async def test_pause_resume_and_undo(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: screen(pilot).NAME == "jobs")
        screen(pilot).table.move_to(job_id(2))
        await pilot.press("p")
        await until(pilot, lambda: "Orders export paused" in text_of(pilot.app))
        await until(pilot, lambda: "p resume" in lines(pilot)[-1])
        await pilot.press("u")
        await until(pilot, lambda: agent.jobs[job_id(2)].paused_at is None)
        await until(pilot, lambda: "p pause" in lines(pilot)[-1])


async def test_run_now_several_asks_first(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: screen(pilot).NAME == "jobs")
        await pilot.press("space", "space", "t")
        await until(pilot, lambda: "run 2 jobs now?" in text_of(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: "2 jobs started" in text_of(pilot.app))
        assert len(agent.asked) == 2


async def test_a_definition_that_cannot_be_read_is_marked_with_its_cause_and_what_to_do(agent: StandIn) -> None:
    cause = "its definition cannot be read: policies.overlap: 'someday' is none of skip, allow"
    broken = {"unreadable": cause, "schedule_text": "", "interval_type": "none", "interval": None, "next_run_at": None}
    agent.jobs[job_id(4)] = agent.jobs[job_id(4)].model_copy(update=broken)
    async with opened(agent) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: screen(pilot).NAME == "jobs")
        screen(pilot).table.move_to(job_id(4))
        await until(pilot, lambda: "e edit" not in lines(pilot)[-1] and "policies.overlap" in lines(pilot)[-3])
        [row] = [line for line in lines(pilot) if "Nightly backup" in line]
        assert row.split()[:2] == ["✗", "U"]
        assert "cannot be read" in row
        assert "never" in row
        assert "publish it anew (jobdeck apply -f FILE)" in text_of(pilot.app)
        await pilot.press("d")
        await until(pilot, lambda: screen(pilot).NAME == "job" and "publish it anew" in text_of(pilot.app))
        assert "overlap    " not in text_of(pilot.app), "what nobody can read is not made up"
        assert "e edit" not in lines(pilot)[-1]


async def test_enter_shows_the_runs_of_the_job(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: screen(pilot).NAME == "jobs")
        screen(pilot).table.move_to(job_id(4))
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "runs" and screen(pilot).filter_text == "job:nightly-backup")


async def test_why_tells_the_agents_sentences(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "It fires every" in text_of(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "runs")


async def test_an_agent_without_any_job_says_how_to_begin(agent: StandIn) -> None:
    agent.jobs, agent.runs = {}, {}
    app = console_on(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no runs yet; c creates a job" in text_of(app))
        await pilot.press("2")
        await until(pilot, lambda: "no jobs yet; c creates a job" in text_of(app))
