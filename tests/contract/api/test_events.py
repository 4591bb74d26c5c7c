"""The event stream: nothing lost, nothing twice, nobody waited for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from agent.api.broadcast import Broadcast
from agent.core.records import NewRun
from shared.ids import new_id
from shared.models import Event, JobInput
from tests.harness.agent import NOW, RunningAgent
from tests.harness.telling import PATIENCE


@pytest.fixture
async def client(agent: RunningAgent) -> AsyncIterator[httpx.AsyncClient]:
    async with agent.tcp(await agent.token("read", "edit", "run")) as client:
        yield client


async def make_job(agent: RunningAgent, name: str = "job") -> str:
    job = JobInput.model_validate({"name": name, "type": "command", "data": {"command": "true"}})
    made = await agent.core.jobs.create(agent.core.gate.local(), job)
    return str(made.id)


async def write_runs(agent: RunningAgent, job_id: str, count: int) -> None:
    """Each its own write, so that commits and events come in many groups."""

    async def write() -> None:
        await agent.core.store.insert_runs([NewRun(new_id(), job_id, "api", None, NOW)], NOW)

    for start in range(0, count, 50):
        await asyncio.gather(*(write() for _ in range(min(50, count - start))))


async def listen(
    client: httpx.AsyncClient, wanted: int, *, after: int | None = None, header: int | None = None
) -> list[ServerSentEvent]:
    """That many events, over one connection."""
    params = {} if after is None else {"after": after}
    headers = {} if header is None else {"Last-Event-ID": str(header)}
    heard: list[ServerSentEvent] = []
    async with aconnect_sse(client, "GET", "/api/events", params=params, headers=headers) as source:
        async for event in source.aiter_sse():
            if event.event != "message":
                heard.append(event)
            if len(heard) >= wanted:
                return heard
    return heard


async def test_a_change_is_heard_as_the_resource(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    position = await agent.core.store.last_event_id()
    job_id = await make_job(agent)
    (event,) = await listen(client, 1, after=position)
    assert event.event == "job.created"
    assert event.id == str(position + 1)
    told = Event.model_validate_json(event.data)
    assert told.subject_id == job_id
    assert told.data["name"] == "job"


async def test_streams_cut_and_resumed_while_1000_events_are_written_have_no_gap_and_no_double(
    agent: RunningAgent, client: httpx.AsyncClient
) -> None:
    job_id = await make_job(agent)
    first = await agent.core.store.last_event_id()
    writing = asyncio.create_task(write_runs(agent, job_id, 1000))

    async def follow(cuts: list[int], by_header: bool) -> list[int]:
        heard: list[int] = []
        for wanted in cuts:
            position = heard[-1] if heard else first
            events = await listen(client, wanted, **{"header" if by_header else "after": position})
            heard += [int(event.id) for event in events]
        return heard

    cuts = [1, 99, 3, 297, 100, 500]
    told = await asyncio.gather(follow(cuts, True), follow([1000], False), follow([500, 500], True))
    await writing
    expected = list(range(first + 1, first + 1001))
    for heard in told:
        # One frame may bring more than was wanted; what was read is counted, in order, without holes.
        assert heard[:1000] == expected


class WritingStore:
    """The agent's store, in which runs are written just before and just after a stream reads its backlog."""

    def __init__(self, agent: RunningAgent, job_id: str, count: int) -> None:
        self._agent = agent
        self._job_id = job_id
        self._left = [count] * 3

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent.core.store, name)

    async def events_after(self, account_id: str, event_id: int, limit: int) -> list[Event] | None:
        count = self._left.pop() if self._left else 0
        await write_runs(self._agent, self._job_id, count)
        page: list[Event] | None = await self._agent.core.store.events_after(account_id, event_id, limit)
        await write_runs(self._agent, self._job_id, count)
        return page


@pytest.mark.parametrize("most_waiting", [5000, 2], ids=["in bounds", "overflowing meanwhile"])
async def test_the_seam_between_backlog_and_live_has_no_gap_and_no_double(
    agent: RunningAgent, most_waiting: int
) -> None:
    store = WritingStore(agent, await make_job(agent), 5)
    first = await agent.core.store.last_event_id()
    await write_runs(agent, await make_job(agent, "another"), 30)
    broadcast = Broadcast(store, most_waiting=most_waiting)  # type: ignore[arg-type]
    stream, heard = broadcast.stream("default", first), list[bytes]()
    await anext(stream)
    reading = asyncio.create_task(collect(stream, heard))
    await until(lambda: broadcast.all_live)
    broadcast.close()
    await reading
    last = await agent.core.store.last_event_id()
    assert ids_in(heard) == list(range(first + 1, last + 1))
    assert last - first >= 31 + 10


async def test_from_now_on_without_a_position(agent: RunningAgent, client: httpx.AsyncClient) -> None:
    await make_job(agent, "before")
    async with aconnect_sse(client, "GET", "/api/events") as source:
        events = source.aiter_sse()
        assert (await anext(events)).retry == 1000
        job_id = await make_job(agent, "after")
        event = await anext(events)
        assert json.loads(event.data)["subjectId"] == job_id


async def test_what_comes_once_the_stream_has_begun_is_heard_however_slow_its_backlog(agent: RunningAgent) -> None:
    broadcast = Broadcast(agent.core.store)
    stream, heard = broadcast.stream("default", None), list[bytes]()
    await anext(stream)
    last = await agent.core.store.last_event_id()
    await make_job(agent)
    await asyncio.wait_for(collect(stream, heard, last + 1), PATIENCE)
    assert ids_in(heard) == [last + 1]
    broadcast.close()
    await stream.aclose()


@pytest.mark.parametrize("position", [0, 10_000_000])
async def test_a_position_that_is_not_there_is_answered_with_a_reset_and_the_stream_goes_on(
    agent: RunningAgent, client: httpx.AsyncClient, position: int
) -> None:
    job_id = await make_job(agent)
    await write_runs(agent, job_id, 20)
    await agent.core.store.prune_events(5)
    last = await agent.core.store.last_event_id()
    async with aconnect_sse(client, "GET", "/api/events", params={"after": position}) as source:
        events = source.aiter_sse()
        await anext(events)
        reset = await anext(events)
        assert reset.event == "reset"
        assert reset.id == str(last)
        assert json.loads(reset.data)["lastEventId"] == last
        await make_job(agent, "next")
        assert (await anext(events)).id == str(last + 1)


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "9" * 30])
async def test_a_position_that_is_none_is_refused(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/api/events", headers={"Last-Event-ID": given})
    assert answer.status_code == 400
    assert answer.json()["error"]["faults"][0]["field"] == "Last-Event-ID"


async def test_events_of_other_accounts_are_not_heard(agent: RunningAgent) -> None:
    broadcast: Broadcast = agent.agent.api.state.api.broadcast
    last = await agent.core.store.last_event_id()

    def event(number: int, account: str) -> Event:
        return Event(id=last + number, at=NOW, kind="job.changed", account_id=account, subject_id=account)

    async with agent.local() as client, aconnect_sse(client, "GET", "/api/events") as source:
        events = source.aiter_sse()
        await anext(events)
        await until(lambda: broadcast.all_live)
        broadcast.publish([event(1, "another"), event(2, "default"), event(3, "another"), event(4, "")])
        assert [(await anext(events)).id for _ in range(2)] == [str(last + 2), str(last + 4)]


@pytest.mark.parametrize("bounds", [{"most_waiting": 100}, {"most_bytes": 100_000}], ids=["frames", "bytes"])
async def test_who_stops_reading_is_dropped_with_a_reset_and_blocks_nobody(
    agent: RunningAgent, bounds: dict[str, int]
) -> None:
    broadcast = Broadcast(agent.core.store, **bounds)
    job_id = await make_job(agent)
    last = await agent.core.store.last_event_id()
    idle, eager = broadcast.stream("default", last), broadcast.stream("default", last)
    await anext(idle)
    heard: list[bytes] = [await anext(eager)]
    waiting = asyncio.ensure_future(anext(idle))
    listening = asyncio.ensure_future(collect(eager, heard, last + 1001))
    await until(lambda: broadcast.all_live)  # whoever stops while it reads its backlog is not dropped
    await write_runs(agent, job_id, 1)
    await waiting
    await write_runs(agent, job_id, 1000)
    await listening
    assert ids_in(heard) == list(range(last + 1, last + 1002))
    rest = [frames async for frames in idle]
    (reset,) = rest
    assert b"event: reset" in reset
    assert ids_in(rest)[0] > last + 100
    await eager.aclose()
    assert broadcast.listeners == 0
    broadcast.close()


async def test_an_event_is_serialised_once_for_all_listeners(agent: RunningAgent) -> None:
    broadcast = Broadcast(agent.core.store)
    last = await agent.core.store.last_event_id()
    streams = [broadcast.stream("default", last) for _ in range(3)]
    for stream in streams:
        await anext(stream)
    waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await until(lambda: broadcast.all_live)
    await make_job(agent)
    frames = await asyncio.gather(*waiting)
    assert frames[0] is frames[1] is frames[2]
    broadcast.close()
    for stream in streams:
        await stream.aclose()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110  (nothing tells; the loop has to go round)
            await asyncio.sleep(0)


async def collect(stream: AsyncIterator[bytes], into: list[bytes], last: int | None = None) -> None:
    async for frames in stream:
        into.append(frames)
        if last is not None and ids_in([frames])[-1] >= last:
            return


def ids_in(frames: list[bytes]) -> list[int]:
    lines = b"".join(frames).splitlines()
    return [int(line.removeprefix(b"id: ")) for line in lines if line.startswith(b"id: ")]
