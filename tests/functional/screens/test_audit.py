"""The record of what was done, as an operator reads it."""

from __future__ import annotations

import pytest

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import fixed_entry, run_id, text_of, until
from tests.harness.stand_in import StandIn
from tests.harness.typing import type_text


async def test_newest_first_with_who_what_from_where_and_refusals_marked(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: screen(pilot).NAME == "audit" and "pause_job" in text_of(pilot.app))
        rows = lines(pilot)[3:21]
        assert "cancel_runs" in rows[0]
        assert "\x1b" not in text_of(pilot.app)
        assert all(part in rows[1] for part in ("✓ D", "ada", "pause_job", "Customers into"))
        assert "10.1.4.7" in lines(pilot)[22], "from where, for the one under the cursor"
        await pilot.press("G")
        await until(pilot, lambda: "create_token" in text_of(pilot.app))
        refused = next(line for line in lines(pilot) if "delete_job" in line)
        assert all(part in refused for part in ("✗ R", "ci", "invoice-mailer"))


async def test_what_is_done_meanwhile_comes_by_itself(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "pause_job" in text_of(pilot.app))
        agent.entries.append(fixed_entry(32, "restore_revision", event="job.changed", subject_name="Nightly backup"))
        agent.move_run(run_id(90), cancel_requested_at=agent.now)
        await until(pilot, lambda: "restore_revision" in lines(pilot)[3])
        assert not [asked for _, path, asked in agent.asked if path == "/api/audit" and "after" not in asked][1:], (
            "what is known is not asked for again"
        )


async def test_a_refusal_that_goes_on_is_counted_up(agent: StandIn) -> None:
    agent.entries.append(fixed_entry(32, "run_job", outcome="refused", reason="not allowed", event=None, count=2))
    async with opened(agent, (160, 48)) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "not allowed, 2 times" in text_of(pilot.app))
        agent.entries[-1] = agent.entries[-1].model_copy(update={"count": 9, "last_at": agent.now})
        agent.move_run(run_id(90), cancel_requested_at=agent.now)
        await until(pilot, lambda: "not allowed, 9 times" in text_of(pilot.app))


async def test_filter_views_and_what_the_agent_is_asked(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "pause_job" in text_of(pilot.app))
        await pilot.press("tab")
        await until(pilot, lambda: "delete_job" in lines(pilot)[3] and not lines(pilot)[4].strip())
        await until(pilot, lambda: any(each[2] and each[2].get("outcome") == "refused" for each in agent.asked))
        await pilot.press("escape")
        await until(pilot, lambda: "cancel_runs" in lines(pilot)[3])
        await type_text(pilot, "/user:ADA act:job.changed")
        await pilot.press("enter")
        await until(pilot, lambda: "pause_job" in lines(pilot)[3] and "replace_job" in lines(pilot)[4])
        wanted = {"user": "ada", "act": "job.changed"}.items()
        await until(pilot, lambda: any(asked and wanted <= asked.items() for _, _, asked in agent.asked))
        assert not lines(pilot)[5].strip()


async def test_a_long_record_is_read_page_by_page_without_gaps(agent: StandIn) -> None:
    agent.entries = [fixed_entry(number, minutes=1000 - number) for number in range(1, 701)]
    agent.entries[0] = fixed_entry(1, "create_user", 1001, event="user.changed", subject_name="eve")
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: len(screen(pilot).rows) == 200)
        await type_text(pilot, "/create_user")
        await pilot.press("enter")
        await until(pilot, lambda: "create_user" in lines(pilot)[3])
        await pilot.press("escape")
        await until(pilot, lambda: len(screen(pilot).rows) >= 200)
        for rows in (400, 600, 700):
            await pilot.press("G")
            await until(pilot, lambda rows=rows: len(screen(pilot).rows) >= rows)
        assert list(screen(pilot).rows.shown) == [f"audit:{number}" for number in range(700, 0, -1)]


async def test_one_entry_and_the_run_that_it_was_about(agent: StandIn) -> None:
    agent.entries.append(fixed_entry(83, "rerun_run", event="run.created", subject_id=run_id(83)))
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "rerun_run" in lines(pilot)[3])
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "entry" and run_id(83) in text_of(pilot.app))
        assert all(
            part in text_of(pilot.app) for part in ("token      t-1", "client     jobdeck/0.1.0", "revision   3")
        )
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "run")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: screen(pilot).NAME == "audit")


async def test_what_was_done_with_a_job(agent: StandIn) -> None:
    async with opened(agent, view="jobs") as pilot:
        await until(pilot, lambda: "Customers into" in text_of(pilot.app))
        await pilot.press("A")
        await until(pilot, lambda: screen(pilot).NAME == "audit")
        await until(pilot, lambda: screen(pilot).filter_text == 'subject:"Cleanup of temporary files"')
        await until(pilot, lambda: all("run_job" in line and "Cleanup" in line for line in lines(pilot)[3:6]))


async def test_who_may_not_read_it_sees_why(agent: StandIn) -> None:
    agent.scopes = ["read", "run"]
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "lacks the scope admin (it has read, run)" in text_of(pilot.app))
        assert not [path for _, path, _ in agent.asked if path == "/api/audit"]


async def test_an_empty_record_says_so(agent: StandIn) -> None:
    agent.entries = []
    async with opened(agent) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "nothing was done yet" in text_of(pilot.app))
        agent.entries = [fixed_entry(1)]
        agent.move_run(run_id(90), cancel_requested_at=agent.now)
        await until(pilot, lambda: "run_job" in lines(pilot)[3])


@pytest.mark.parametrize(("key", "name"), [("2", "jobs"), ("3", "schedule")])
async def test_esc_leads_back_to_where_one_came_from_when_nothing_is_left_to_clear(
    agent: StandIn, key: str, name: str
) -> None:
    async with opened(agent) as pilot:
        await pilot.press(key, "a")
        await until(pilot, lambda: screen(pilot).NAME == "audit" and "pause_job" in text_of(pilot.app))
        await pilot.press("tab")
        await until(pilot, lambda: "delete_job" in lines(pilot)[3])
        await pilot.press("escape")
        await until(pilot, lambda: "cancel_runs" in lines(pilot)[3])
        await pilot.press("escape")
        await until(pilot, lambda: bool(name == screen(pilot).NAME))
