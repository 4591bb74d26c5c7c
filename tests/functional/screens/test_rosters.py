"""Screens 3 to 5: the schedule, the workers, the data."""

from __future__ import annotations

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import job_id, run_id, settled, text_of, until
from tests.harness.night import fixed_fire, fixed_night
from tests.harness.stand_in import StandIn
from tests.harness.typing import type_text


async def test_the_ledger_its_outcomes_its_runs_and_what_is_further_down(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: screen(pilot).NAME == "schedule" and "Orders export" in lines(pilot)[3])
        assert all(part in lines(pilot)[3] for part in ("✓ started", "on time"))
        assert all(part in lines(pilot)[4] for part in ("‖ paused", "Customers into", "30"))
        await pilot.press("G")
        await until(pilot, lambda: len(screen(pilot).items) == 400)
        await pilot.press("tab")
        await until(pilot, lambda: "overlap active" in lines(pilot)[3] and not lines(pilot)[4].strip())
        await pilot.press("escape")
        await until(pilot, lambda: "✓ started" in lines(pilot)[3])
        await pilot.press("g", "enter")
        await until(pilot, lambda: screen(pilot).NAME == "run" and screen(pilot).run_id == run_id(83))


async def test_why_tells_each_fire_once_with_the_number_of_its_run(agent: StandIn) -> None:
    async with opened(fixed_night(agent), view="jobs") as pilot:
        await until(pilot, lambda: "Orders into" in text_of(pilot.app))
        screen(pilot).table.move_to(job_id(1))
        await pilot.press("w")
        await until(pilot, lambda: "#66  started on time" in text_of(pilot.app))
        assert "The fire of" not in text_of(pilot.app)
        await until(pilot, lambda: "f its fires" in lines(pilot)[-1])
        await pilot.press("f")
        await until(pilot, lambda: screen(pilot).NAME == "schedule" and "run #66" in text_of(pilot.app))


async def test_the_ledger_of_one_job_and_back_to_all(agent: StandIn) -> None:
    async with opened(fixed_night(agent), view="jobs") as pilot:
        await until(pilot, lambda: "Customers into" in text_of(pilot.app))
        screen(pilot).table.move_to(job_id(7))
        await pilot.press("f")
        await until(pilot, lambda: screen(pilot).NAME == "schedule" and "‖ paused" in lines(pilot)[3])
        await until(pilot, lambda: not lines(pilot)[4].strip() and "esc all jobs" in lines(pilot)[-1])
        await pilot.press("escape")
        await until(pilot, lambda: "Orders export" in lines(pilot)[3])


async def test_a_new_fire_comes_by_itself_and_the_cursor_stays(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "Orders export" in lines(pilot)[3])
        await pilot.press("j")
        await until(pilot, lambda: screen(pilot).table.is_acting)
        agent.fires.insert(0, fixed_fire(901, 3, "missed", "catch_up_none"))
        agent.tell("fire.recorded", job_id(3), {"jobId": job_id(3)})
        await until(pilot, lambda: "▲ 1 new" in lines(pilot)[2])
        assert screen(pilot).table.cursor_id == "899"
        assert "missed" not in text_of(pilot.app), "it waits while somebody acts"
        await pilot.press("escape")
        await until(pilot, lambda: "✗ missed" in lines(pilot)[3] and "new" not in lines(pilot)[2])


async def test_what_leaves_the_list_stands_as_it_was_until_the_cursor_goes(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "4712" in lines(pilot)[4])
        await pilot.press("j")
        await until(pilot, lambda: screen(pilot).table.is_acting)
        agent.workers = [worker for worker in agent.workers if worker.pid != 4712]
        screen(pilot).load()
        await until(pilot, lambda: len(screen(pilot).items) == len(agent.workers))
        screen(pilot).load()
        await settled(pilot)
        assert "4712" in lines(pilot)[4]
        await pilot.press("k")
        await until(pilot, lambda: "4712" not in text_of(pilot.app))


async def test_forty_columns_say_where_one_is_and_what_the_rows_are(agent: StandIn) -> None:
    async with opened(fixed_night(agent), (40, 24)) as pilot:
        assert "1 Runs" in lines(pilot)[0]
        assert all(part in lines(pilot)[3] for part in ("Orders in", "██", " 62%"))
        await pilot.press("3", "shift+tab")
        await until(pilot, lambda: "Unlike itself" in lines(pilot)[1] and "3 Schedule" in lines(pilot)[0])
        await until(pilot, lambda: "too slow" in lines(pilot)[3] and "Nightly" in lines(pilot)[3])


async def test_a_list_is_narrowed_while_one_writes(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "Orders export" in lines(pilot)[3])
        await until(pilot, lambda: screen(pilot).filter_bar is not None)
        await pilot.press("slash")
        await until(pilot, lambda: "tab outcome:  due:  job:" in lines(pilot)[-2] and not lines(pilot)[-1].strip())
        await type_text(pilot, "outcome:paused")
        await until(pilot, lambda: "‖ paused" in lines(pilot)[3] and "started" not in text_of(pilot.app))
        await until(pilot, lambda: screen(pilot).loaded and len(screen(pilot).loaded) > 200), "it looks further down"
        await type_text(pilot, " nope:")
        await until(pilot, lambda: "^ there is no field 'nope'" in text_of(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: "✓ started" in lines(pilot)[3] and "/ filter" in lines(pilot)[-1])


async def test_a_filter_stays_with_lists_of_the_same_columns_and_esc_clears_it(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "Orders export" in lines(pilot)[3] and screen(pilot).filter_bar is not None)
        await pilot.press("slash")
        await type_text(pilot, "overlap")
        await pilot.press("enter", "tab")
        await until(pilot, lambda: "Skipped" in lines(pilot)[1] and "overlap active" in lines(pilot)[3])
        assert lines(pilot)[1].rstrip().endswith("/overlap")
        await pilot.press("shift+tab", "shift+tab")
        await until(pilot, lambda: "! too slow" in lines(pilot)[3] and "/overlap" not in lines(pilot)[1])
        await pilot.press("4", "slash")
        await type_text(pilot, "-busy 4712")
        await pilot.press("enter")
        await until(pilot, lambda: "4712" in lines(pilot)[3] and not lines(pilot)[4].strip())
        await pilot.press("escape")
        await until(pilot, lambda: "► busy" in lines(pilot)[3])


async def test_an_act_goes_to_what_the_filter_shows(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: len(screen(pilot).items) > 1 and screen(pilot).filter_bar is not None)
        whole = len(screen(pilot).items)
        await pilot.press("asterisk", "slash")
        await type_text(pilot, screen(pilot).loaded[0].job_name.split()[0].lower())
        await until(pilot, lambda: 0 < len(screen(pilot).items) < whole)
        await pilot.press("enter")
        assert {held.job_id for held in screen(pilot).targets} == screen(pilot).items.keys()


async def test_a_sentinel_is_told_and_seen(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3", "shift+tab")
        await until(pilot, lambda: "! too slow" in lines(pilot)[3] and "not seen yet" in text_of(pilot.app))
        await until(pilot, lambda: "o seen" in lines(pilot)[-1])
        await pilot.press("o")
        await until(pilot, lambda: "seen by ops" in text_of(pilot.app) and "o seen" not in lines(pilot)[-1])


async def test_what_fires_next_and_the_job_itself(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("3", "shift+tab", "shift+tab")
        await until(pilot, lambda: "Upcoming" in lines(pilot)[1] and "every 10 minutes" in text_of(pilot.app))
        assert "Customers into" not in text_of(pilot.app), "what is paused does not fire"
        await until(pilot, lambda: "enter details" in lines(pilot)[-1])
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "job" and "Policies" in text_of(pilot.app))


async def test_who_works_and_what_waits_for_what(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "► busy" in lines(pilot)[3] and "Orders into the index" in lines(pilot)[3])
        assert all(part in lines(pilot)[4] for part in ("○ idle", "4712"))
        await pilot.press("tab")
        await until(pilot, lambda: "key customers: 1 of 1 running" in lines(pilot)[3])
        assert lines(pilot)[3].split()[0] == "2"
        await pilot.press("enter")
        await until(
            pilot, lambda: screen(pilot).NAME == "runs" and screen(pilot).filter_text == "state:pending,retrying"
        )


async def test_a_connection_is_tested(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "postgresql://reader@db/shop" in lines(pilot)[3])
        await pilot.press("t")
        await until(pilot, lambda: "shop answers; 2 tables: customers, orders" in text_of(pilot.app))
        await pilot.press("j", "t")
        await until(pilot, lambda: "old: the server refuses the password; set the secret anew" in text_of(pilot.app))


async def test_a_knowledge_base_is_searched_and_what_is_missing_says_how_to_make_it(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("5", "tab")
        await until(pilot, lambda: "no datasets yet; in a shell: jobdeck dataset create" in text_of(pilot.app))
        await pilot.press("tab")
        await until(pilot, lambda: "21,505" in lines(pilot)[3])
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "search")
        await type_text(pilot, "lamp")
        await pilot.press("enter")
        await until(pilot, lambda: "a lamp of brass" in lines(pilot)[4] and "colour=green" in text_of(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "data")


async def test_a_list_comes_back_with_the_agent(agent: StandIn) -> None:
    async with opened(fixed_night(agent)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "postgresql://reader@db/shop" in lines(pilot)[3])
        agent.is_down = True
        agent.drop_streams()
        await until(pilot, lambda: "OFFLINE" in lines(pilot)[0])
        assert "postgresql://reader@db/shop" in lines(pilot)[3], "the last that was known stays"
        await pilot.press("1")
        agent.is_down = False
        await until(pilot, lambda: "the agent answers again" in text_of(pilot.app))
        await pilot.press("5")
        await until(
            pilot, lambda: screen(pilot).NAME == "data" and "the store does not answer" not in text_of(pilot.app)
        )
