"""A job changes hands."""

from __future__ import annotations

from shared.models.identity import User
from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import NOW, job_id, text_of, until
from tests.harness.night import fixed_night
from tests.harness.stand_in import StandIn
from tests.harness.typing import type_text


async def test_a_job_is_given_to_a_user_of_the_list(agent: StandIn) -> None:
    users = {handle: User(id=f"u-{handle}", handle=handle, created_at=NOW) for handle in ("ops", "ada", "grace")}
    users["grace"].disabled_at = NOW
    fixed_night(agent).things["users"] = list(users.values())
    async with opened(agent, view="jobs") as pilot:
        await pilot.press("d")
        await until(pilot, lambda: screen(pilot).NAME == "job" and "Policies" in text_of(pilot.app))
        name = screen(pilot).job.name
        await pilot.press("o")
        await until(pilot, lambda: "  ada" in text_of(pilot.app))
        assert "grace" not in text_of(pilot.app), "who may not call is given nothing"
        await type_text(pilot, "ad")
        await pilot.press("enter")
        await until(pilot, lambda: f"give {name} to ada? Its runs act as ada from then on" in text_of(pilot.app))
        assert not agent.asked
        await pilot.press("y")
        await until(pilot, lambda: f"{name} is ada's now" in text_of(pilot.app))
        path = f"/api/jobs/{screen(pilot).job.id}/owner"
        assert agent.asked == [("PUT", path, {"ownerId": "ada"})]


async def test_whose_it_is_not_and_who_does_not_administer_is_not_asked(agent: StandIn) -> None:
    agent.scopes = ["read", "run", "edit"]
    agent.put_job(agent.jobs[job_id(2)].model_copy(update={"owner_id": "u-ada"}))
    async with opened(fixed_night(agent), view="jobs") as pilot:
        screen(pilot).table.move_to(job_id(2))
        await pilot.press("d")
        await until(pilot, lambda: "Policies" in text_of(pilot.app))
        await pilot.press("o")
        await until(pilot, lambda: "nothing here to give away" in lines(pilot)[-2])
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "jobs")
        screen(pilot).table.move_to(job_id(1))
        await pilot.press("d")
        await until(pilot, lambda: "Policies" in text_of(pilot.app))
        await pilot.press("o")
        await until(pilot, lambda: "give Orders into the index to" in text_of(pilot.app))
        await type_text(pilot, "ada")
        await until(pilot, lambda: "as it is written" in text_of(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: screen(pilot).NAME == "job")
        assert not agent.asked
