"""`/`, `:` and `ctrl+p`: what is typed finds what is meant."""

from __future__ import annotations

import pytest

from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import job_id, run_id, text_of, until
from tests.harness.stand_in import StandIn
from tests.harness.typing import type_text


async def test_filter_narrows_as_it_is_typed(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "/job:nightly-backup")
        await until(pilot, lambda: {line[7:21] for line in lines(pilot)[3:19] if line.strip()} == {"Nightly backup"})
        await pilot.press("enter")
        await until(pilot, lambda: lines(pilot)[1].rstrip().endswith("/job:nightly-backup"))
        await until(pilot, lambda: screen(pilot).focused is screen(pilot).table)
        await pilot.press("escape")
        await until(pilot, lambda: "/job" not in lines(pilot)[1])


async def test_filter_points_at_the_character(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "/type:x state:fail")
        await until(pilot, lambda: "did you mean 'failed'?" in text_of(pilot.app))
        bar = next(index for index, line in enumerate(lines(pilot)) if "type:x state:fail" in line)
        assert lines(pilot)[bar + 1].index("^") == lines(pilot)[bar].index("fail")


async def test_filter_completes(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "/stat")
        await until(pilot, lambda: "tab state:" in text_of(pilot.app))
        await pilot.press("tab")
        await type_text(pilot, "fai")
        await pilot.press("tab")
        await until(pilot, lambda: screen(pilot).filter_text == "state:failed")


async def test_escape_in_the_bar_clears_it(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, "/backup")
        await until(pilot, lambda: screen(pilot).filter_text == "backup")
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).filter_text == "" and not screen(pilot).filter_bar.is_open)


async def test_jump_to_a_job(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, ":job orders-exp")
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "jobs" and screen(pilot).table.cursor_id == job_id(2))


async def test_jump_to_a_view(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, ":view failed")
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).saved.name == "failed")


async def test_views_of_every_list_are_found_and_told(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, ":view refused")
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "audit" and screen(pilot).saved.name == "refused")
        await type_text(pilot, ":view nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "there is no view 'nowhere'; there are all, active" in text_of(pilot.app))


@pytest.mark.parametrize("key", [run_id(9999), "#9999"])
async def test_jump_to_a_run_that_is_not_loaded(agent: StandIn, key: str) -> None:
    async with opened(agent) as pilot:
        late = agent.runs[run_id(68)].model_copy(update={"id": run_id(9999), "number": 9999})
        agent.runs[late.id] = late
        await type_text(pilot, f":run {key}")
        await pilot.press("enter")
        await until(pilot, lambda: screen(pilot).NAME == "run")
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "runs")


async def test_jump_to_a_run_that_is_not_there_says_so(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await type_text(pilot, ":run nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "there is no such run" in text_of(pilot.app))


async def test_palette_does_what_the_footer_offers(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("n", "ctrl+p")
        await type_text(pilot, "rerun")
        await until(pilot, lambda: "rerun 13 failed" in text_of(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "rerun 13 failed runs of 2 jobs?" in text_of(pilot.app))


async def test_help_searches(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "type to search" in text_of(pilot.app))
        await type_text(pilot, "undo")
        await until(
            pilot,
            lambda: "take back a cancel that waits" in text_of(pilot.app) and "next cause" not in text_of(pilot.app),
        )
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "runs")


async def test_help_tells_all_of_what_80_columns_cut(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: screen(pilot).NAME == "help")
        await type_text(pilot, "cancel is cancelled")
        await until(pilot, lambda: "that u can undo it" in lines(pilot)[-3])
        await pilot.press("ctrl+u")
        await pilot.press("down")
        await until(pilot, lambda: "next view: the next saved view" in text_of(pilot.app))
