"""The line to the agent: lost, slow, back again."""

from __future__ import annotations

from datetime import timedelta

from console.model import Changes
from shared.states import RunState
from tests.functional.screens.test_runs import lines, opened, screen
from tests.harness.console import NOW, console_on, run_id, settled, text_of, until
from tests.harness.stand_in import StandIn


async def test_offline_says_how_old_the_data_are_and_goes_on_where_it_was(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        agent.is_down = True
        agent.drop_streams()
        await until(pilot, lambda: "OFFLINE" in lines(pilot)[0])
        assert "Orders into the index" in lines(pilot)[3], "the last data stay"
        screen(pilot).session.clock.advance(timedelta(minutes=3))
        screen(pilot).schedule_look()
        await until(pilot, lambda: "data 3m ago" in lines(pilot)[0])
        agent.move_run(run_id(90), state=RunState.COMPLETED, finished_at=NOW)
        agent.is_down = False
        await until(pilot, lambda: "live" in lines(pilot)[0])
        await until(pilot, lambda: screen(pilot).session.world.runs[run_id(90)].state is RunState.COMPLETED)


async def test_reset_loads_anew(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        agent.is_down = True
        agent.drop_streams()
        await until(pilot, lambda: "OFFLINE" in lines(pilot)[0])
        agent.move_run(run_id(90), state=RunState.COMPLETED, finished_at=NOW)
        agent.prune()
        agent.is_down = False
        await until(pilot, lambda: "live" in lines(pilot)[0])
        await until(pilot, lambda: screen(pilot).session.world.runs[run_id(90)].state is RunState.COMPLETED)


async def test_no_agent_says_what_to_do(agent: StandIn) -> None:
    agent.is_down = True
    app = console_on(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "OFFLINE no data yet" in lines(pilot)[0])
        assert "the store does not answer" in text_of(app)
        agent.is_down = False
        await settled(pilot)
        assert "Orders into the index" in text_of(app)


async def test_an_agent_that_can_store_nothing_is_not_called_live(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        reason = "the store cannot be written: the disk is full; make room, and the agent goes on by itself"
        agent.tell("agent.changed", "store", {"store": "refuses", "reason": reason, "since": NOW.isoformat()})
        await until(pilot, lambda: "DISK FULL nothing new runs" in lines(pilot)[0])
        agent.tell("agent.changed", "store", {"store": "works", "reason": reason, "since": NOW.isoformat()})
        await until(pilot, lambda: "live" in lines(pilot)[0])


async def test_what_an_agent_died_of_is_not_told_of_the_next(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        reason = "the store cannot be written: the disk is full; make room, and the agent goes on by itself"
        agent.tell("agent.changed", "store", {"store": "refuses", "reason": reason, "since": NOW.isoformat()})
        await until(pilot, lambda: "DISK FULL" in lines(pilot)[0])
        agent.is_down = True
        agent.drop_streams()
        await until(pilot, lambda: "OFFLINE" in lines(pilot)[0])
        agent.production = True
        agent.is_down = False
        await until(pilot, lambda: "live" in lines(pilot)[0])
        await until(pilot, lambda: "PRODUCTION" in lines(pilot)[0])


async def test_each_reason_of_an_outage_is_told(agent: StandIn) -> None:
    """Behind `was cut` may come why the line does not come back."""
    async with opened(agent) as pilot:
        agent.is_down = True
        agent.drop_streams()
        await until(pilot, lambda: "the store does not answer" in text_of(pilot.app))
        agent.is_down = False
        await until(pilot, lambda: "the agent answers again" in text_of(pilot.app))


async def test_who_is_not_let_in_any_more_reads_so(agent: StandIn) -> None:
    async with opened(agent) as pilot:
        session = screen(pilot).session
        session.world.link = session.world.link.down(NOW, "the token has expired", is_refused=True)
        session.publish(Changes())
        await until(pilot, lambda: "LOCKED OUT data just now" in lines(pilot)[0])


async def test_what_to_do_next_is_told_to_the_end(agent: StandIn) -> None:
    async with opened(agent, (60, 20)) as pilot:
        pilot.app.say(f"no agent listens at the socket /srv/{'deep/' * 12}agent.sock; start it", "error")  # type: ignore[attr-defined]
        await until(pilot, lambda: "start it" in text_of(pilot.app))
        await pilot.press("escape")
        await until(pilot, lambda: "start it" not in text_of(pilot.app))
