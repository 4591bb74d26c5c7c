"""A process that sends events to whoever listens on `/api/events`, the agent's way or the bare way.

`python -m benchmarks.peers.event_streams agent|bare PORT FOLDER`; then a line `NUMBER MARK` on standard input has so
many events sent as fast as they go, the last one with the mark.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from agent.app import open_agent
from agent.logging import set_up_logging
from agent.loop import run
from agent.settings import Settings
from shared.ids import new_id
from shared.models import Event, Progress, Run, TokenInput
from shared.states import RunState

GROUP = 20
"""Events of one commit."""
_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_events: TypeAdapter[Event] = TypeAdapter(Event)
Publish = Callable[[Sequence[Event]], None]


class Bare:
    """A queue for each listener, each event encoded once: nothing is remembered, resumed, bounded or checked."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes]] = set()
        self.app = Starlette(routes=[Route("/api/events", self._listen)])

    def publish(self, events: Sequence[Event]) -> None:
        for event in events:
            data = _events.dump_json(event, by_alias=True)
            frame = b"id: %d\nevent: %b\ndata: %b\n\n" % (event.id, event.kind.encode(), data)
            for queue in self._queues:
                queue.put_nowait(frame)

    async def _listen(self, _request: Request) -> StreamingResponse:
        return StreamingResponse(self._frames(), media_type="text/event-stream")

    async def _frames(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield b"retry: 1000\n\n"
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)


@asynccontextmanager
async def _agent(port: int, folder: Path) -> AsyncIterator[Publish]:
    agent = await open_agent(Settings(data_dir=folder, bind=f"127.0.0.1:{port}"))
    # with `read` alone it would be told of its own runs and those shared with it only
    asked = TokenInput(name="bench", scopes=["read", "admin"])
    token = (await agent.core.gate.tokens.create(agent.core.gate.local(), asked)).token
    await agent.start(idle=True)
    _say(token)
    try:
        yield agent.api.state.api.broadcast.publish
    finally:
        await agent.stop()


@asynccontextmanager
async def _bare(port: int, _folder: Path) -> AsyncIterator[Publish]:
    bare = Bare()
    config = uvicorn.Config(bare.app, port=port, http="h11", log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    _say("none")
    try:
        yield bare.publish
    finally:
        server.should_exit = True
        await serving


async def _serve(which: str, port: int, folder: Path) -> None:
    number = 1_000_000
    async with (_agent if which == "agent" else _bare)(port, folder) as publish:
        while line := await asyncio.to_thread(sys.stdin.readline):
            count, mark = line.split()
            events = _made(number, int(count), mark)
            number += int(count)
            for start in range(0, len(events), GROUP):
                publish(events[start : start + GROUP])
                await asyncio.sleep(0)


def _made(first: int, count: int, mark: str) -> list[Event]:
    """Three of four tell progress, the fourth that a run has changed."""
    made = [_progress(first + n) if n % 4 else _change(first + n) for n in range(count)]
    made[-1] = made[-1].model_copy(update={"subject_id": mark})
    return made


def _progress(number: int) -> Event:
    data = {"runId": new_id(), "progress": Progress(done=number, total=10**9, unit="rows").model_dump(by_alias=True)}
    return Event(
        id=number, at=_NOW, kind="run.progress", account_id="default", subject_id=str(data["runId"]), data=data
    )


def _change(number: int) -> Event:
    run = Run(
        id=new_id(), number=number, job_id=new_id(), job_name="orders", account_id="default", owner_id=new_id(),
        type="kb-sync", revision=1, state=RunState.RUNNING, created_at=_NOW, available_at=_NOW,
    )  # fmt: skip
    data = run.model_dump(mode="json", by_alias=True)
    return Event(id=number, at=_NOW, kind="run.changed", account_id="default", subject_id=run.id, data=data)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    set_up_logging("text", sys.stderr)
    run(_serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
