"""Across cuts: every event once and in order, and the cut itself is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

from console.client import AgentClient, Offline, Online, Reset, Signal
from console.client.line import Line, Message
from shared.clock import ManualClock
from shared.errors import NotFound, TooMany, Unauthenticated, Unavailable
from shared.models import Event
from tests.contract.client.conftest import Pauses, Relay, command, through
from tests.harness.agent import NOW
from tests.harness.telling import PATIENCE


async def test_events_arrive_once_each_across_cuts(client: AgentClient, relay: Relay) -> None:
    pauses = Pauses()
    async with through(relay, pauses) as far, aclosing(far.events().signals()) as signals:
        assert isinstance(await _next(signals), Online)
        await client.jobs.create(command("Before"))
        assert _subject(await _next(signals)) == ("job.created", "Before")
        await relay.close()
        await client.jobs.create(command("Meanwhile"))
        first = await _next(signals)
        assert isinstance(first, Offline)
        assert "was cut" in first.reason
        second = await _next(signals)
        assert isinstance(second, Offline)
        assert "no agent runs here" in second.reason
        assert second.since == first.since == NOW
        await relay.open()
        assert isinstance(await _next(signals), Online)
        assert _subject(await _next(signals)) == ("job.created", "Meanwhile")
        await client.jobs.create(command("After"))
        assert _subject(await _next(signals)) == ("job.created", "After")


async def test_a_cut_before_the_first_event_loses_none(client: AgentClient, relay: Relay) -> None:
    async with through(relay, Pauses()) as far, aclosing(far.events().signals()) as signals:
        assert isinstance(await _next(signals), Online)
        await relay.close()
        await client.jobs.create(command("Meanwhile"))
        await relay.open()
        while not isinstance(signal := await _next(signals), Event):
            pass
        assert _subject(signal) == ("job.created", "Meanwhile")


async def test_a_position_that_was_pruned_is_a_reset(client: AgentClient, agent: Any, relay: Relay) -> None:
    for number in range(4):
        await client.jobs.create(command(f"Job {number}"))
    await agent.agent.core.store.prune_events(1)
    async with through(relay, Pauses()) as far, aclosing(far.events(1).signals()) as signals:
        assert isinstance(await _next(signals), Online)
        assert isinstance(await _next(signals), Reset)
        await client.jobs.create(command("After"))
        while not isinstance(signal := await _next(signals), Event) or signal.data.get("name") != "After":
            pass


async def test_pauses_grow_to_a_limit_and_begin_anew_after_a_steady_line() -> None:
    clock, pauses = ManualClock(NOW), Pauses()
    line = Line(clock, pauses, lambda: 1.0)
    attempts = 0

    async def connect() -> AsyncGenerator[Message, None]:
        nonlocal attempts
        attempts += 1
        if attempts == 9:
            yield Message("open")
            clock.advance(timedelta(minutes=5))
        if attempts == 11:
            raise NotFound("no such run")
        raise Unavailable("away")

    said = [type(signal) async for signal in _until_refused(line.keep(connect, fatal=(NotFound,)))]
    assert pauses.taken == [0.5, 1, 2, 4, 5, 5, 5, 5, 0.5, 1]
    assert said == [Offline, Online, Offline]


async def test_a_request_that_is_answered_ends_the_pause(client: AgentClient, relay: Relay) -> None:
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async with through(relay, sleep) as far, aclosing(far.events().signals()) as signals:
        assert isinstance(await _next(signals), Online)
        await relay.close()
        assert isinstance(await _next(signals), Offline)
        back = asyncio.ensure_future(_next(signals))
        await asleep.wait()
        await relay.open()
        await far.world.agent()
        assert isinstance(await back, Online)


async def test_an_agent_that_asks_for_time_gets_it() -> None:
    pauses = Pauses()

    async def connect() -> AsyncGenerator[Message, None]:
        if pauses.taken:
            raise NotFound("enough")
        raise TooMany("slow down", retry_after=12)
        yield Message("never")

    line = Line(ManualClock(NOW), pauses, lambda: 0.0)
    signals = [signal async for signal in _until_refused(line.keep(connect, fatal=(NotFound,)))]
    assert pauses.taken == [12]
    assert signals == [Offline(NOW, "slow down")]


async def test_who_is_not_let_in_any_more_is_told_so() -> None:
    async def connect() -> AsyncGenerator[Message, None]:
        if pauses.taken:
            raise NotFound("enough")
        raise Unauthenticated("the token has expired")
        yield Message("never")

    pauses = Pauses()
    line = Line(ManualClock(NOW), pauses, lambda: 0.0)
    signals = [signal async for signal in _until_refused(line.keep(connect, fatal=(NotFound,)))]
    assert signals == [Offline(NOW, "the token has expired", is_refused=True)]


async def test_the_log_of_no_run_is_refused_not_waited_for(client: AgentClient) -> None:
    missing = "01a20172-74e3-7296-a5c3-0dfe89f62b86"
    signals = [signal async for signal in _until_refused(client.runs.follow(missing))]
    assert signals == []


async def _until_refused(signals: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    """The signals up to the refusal; that there is none fails the test by its time limit."""
    refused = False
    async with asyncio.timeout(PATIENCE):
        try:
            async for signal in signals:
                yield signal
        except NotFound:
            refused = True
    assert refused


async def _next(signals: AsyncGenerator[Any, None]) -> Any:
    return await asyncio.wait_for(anext(signals), PATIENCE)


def _subject(signal: Signal) -> tuple[str, str]:
    assert isinstance(signal, Event), signal
    return signal.kind, signal.data["name"]
