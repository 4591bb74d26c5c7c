"""The agent's side of knowledge bases: it asks the reader process, and starts another when that one dies."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError
from agent.core.threads import look
from agent.core.wire import KnowledgeBaseGrant
from agent.resources.embedders import open_embedder
from agent.resources.embedders.names import WORDLLAMA, WORDLLAMA_DIMENSIONS, Reach, parse_embedder
from agent.resources.folder_names import folder_name, make_folder
from agent.resources.knowledge.file import open_for_writing
from agent.resources.knowledge.lock import holder, try_lock
from agent.resources.knowledge.room import account_rows
from shared.errors import Conflict, Fault, InvalidInput, Unavailable
from shared.models import KnowledgeBase, SearchHit, SearchInput

SecretOf = Callable[[str, str], Awaitable[str]]
"""(account id, name of the secret) -> its value."""

MOST_HITS = 1000
PING_SECONDS = 5.0
LONGEST_LINE = 256 * 1024 * 1024

_COMMAND = (sys.executable, "-I", "-m", "agent.resources.knowledge.reader")


class KnowledgeReader:
    """Implements `agent.core.ports.KnowledgeBases` over folders under `root`, one for each base.

    The process starts with the first question. What it is asked when it dies is asked once more of the next one.
    """

    def __init__(
        self, root: Path, *, secret_of: SecretOf | None = None, reach: Reach | None = None, timeout: float = 30.0
    ) -> None:
        self._root = root
        self._secret_of = secret_of
        self._reach = reach or Reach()
        self._timeout = timeout
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Process, asyncio.Future[dict[str, Any]]]] = {}
        """By the number of the question: whom it was put to, and the answer."""

    @property
    def pid(self) -> int | None:
        """The reader process, None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def grant_path(self, base: KnowledgeBase) -> str:
        """The base's folder; neither id can lead out of `root`."""
        return str(Path(self.folder(base.account_id)) / folder_name(base.id))

    async def make_folder(self, grant: KnowledgeBaseGrant) -> None:
        await make_folder(grant.path)

    def folder(self, account_id: str) -> str:
        return str(self._root / folder_name(account_id))

    async def rows(self, account_id: str) -> int:
        return await asyncio.to_thread(account_rows, Path(self.folder(account_id)))

    async def start_if_needed(self) -> None:
        """Start the process ahead of the first question, if there is a base to ask about."""
        if await asyncio.to_thread(lambda: any(self._root.glob("*/*"))):
            await self._running()

    async def dimensions(self, embedder: str, account_id: str) -> int:
        """How long that embedder's vectors are; an endpoint is asked, with the account's secret if it names one.
        InvalidInput on `embedder` if there is no such embedder or it does not answer."""
        name = parse_embedder(embedder)
        secret = await self._secret_of(account_id, name.secret) if name.secret and self._secret_of else None
        try:
            return await look(_dimensions, embedder, secret, self.networks(embedder))
        except DriverError as error:
            raise InvalidInput.one("embedder", error.message, embedder) from None

    def networks(self, embedder: str) -> list[str]:
        return self._reach.of(embedder)

    def embedder_secret(self, embedder: str) -> str | None:
        return parse_embedder(embedder).secret

    async def create(self, base: KnowledgeBase) -> None:
        """Make the folder and an empty file in it; a base that is there already stays as it is."""
        folder = Path(self.grant_path(base))
        await asyncio.to_thread(lambda: open_for_writing(folder).close())

    async def search(self, base: KnowledgeBase, query: SearchInput) -> list[SearchHit]:
        """Best hits first. InvalidInput on `limit` or `filter.<name>`; Unavailable if the search cannot be made."""
        _check(query)
        request = self._request("search", base) | {
            "secret": await self._secret(base) if query.mode != "text" else None,
            "query": query.query,
            "mode": query.mode,
            "limit": query.limit,
            "filter": query.filter,
        }
        return [SearchHit.model_validate(hit) for hit in await self._ask(request)]

    async def count(self, base: KnowledgeBase) -> tuple[int, int]:
        """(rows, generation); (0, 1) while nothing was ever written."""
        rows, generation = await self._ask(self._request("count", base))
        return rows, generation

    async def delete(self, base: KnowledgeBase) -> None:
        """Remove the folder. Conflict while a run writes to it."""
        folder = Path(self.grant_path(base))
        if not await asyncio.to_thread(folder.is_dir):
            return
        lock = await asyncio.to_thread(try_lock, folder)
        if lock is None:
            raise Conflict(f"{holder(folder)} writes to knowledge base '{base.name}'; wait for it or cancel it")
        try:
            await self._ask({"op": "forget", "folder": str(folder)})
            await asyncio.to_thread(shutil.rmtree, folder)
        finally:
            os.close(lock)

    async def stop(self) -> None:
        """End the process; questions under way fail."""
        process, listening = self._process, self._listening
        self._process = self._listening = None
        if process and process.stdin:
            process.stdin.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PING_SECONDS)
            await _kill(process)
        if listening:
            await listening

    def _request(self, operation: str, base: KnowledgeBase) -> dict[str, Any]:
        return {
            "op": operation,
            "folder": self.grant_path(base),
            "embedder": base.embedder,
            "dimensions": base.dimensions,
            "networks": self.networks(base.embedder),
        }

    async def _secret(self, base: KnowledgeBase) -> str | None:
        name = parse_embedder(base.embedder).secret
        return await self._secret_of(base.account_id, name) if name and self._secret_of else None

    async def _ask(self, request: dict[str, Any]) -> Any:
        try:
            answer = await self._exchange(request, self._timeout)
        except ConnectionError:
            answer = await self._once_more(request)
        except TimeoutError:
            await self._restart_if_stuck()
            raise Unavailable(f"the knowledge base did not answer within {self._timeout:g} s") from None
        if error := answer.get("error"):
            raise Unavailable(f"the knowledge base cannot be searched: {error['message']}")
        return answer["result"]

    async def _once_more(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._exchange(request, self._timeout)
        except (ConnectionError, TimeoutError):
            raise Unavailable("the reader of knowledge bases ended while it was asked") from None

    async def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = await self._running()
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = process, answer
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
            async with asyncio.timeout(seconds):
                await process.stdin.drain()
                return await answer
        finally:
            self._waiting.pop(number, None)

    async def _running(self) -> Process:
        async with self._starting:
            if self.pid is None or self._listening is None or self._listening.done():
                self._process = await asyncio.create_subprocess_exec(
                    *_COMMAND, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE, cwd="/", start_new_session=True
                )
                self._listening = asyncio.create_task(self._listen(self._process))
        assert self._process is not None
        return self._process

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        with suppress(ConnectionError, ValueError):
            while line := await process.stdout.readline():
                answer = json.loads(line)
                _, waiting = self._waiting.get(answer["id"], (None, None))
                if waiting and not waiting.done():
                    waiting.set_result(answer)
        await _kill(process)
        for asked, waiting in self._waiting.values():
            if asked is process and not waiting.done():
                waiting.set_exception(ConnectionResetError("the reader ended"))

    async def _restart_if_stuck(self) -> None:
        process = self._process
        try:
            await self._exchange({"op": "ping"}, PING_SECONDS)
        except TimeoutError:
            if process:
                await _kill(process)
        except ConnectionError:
            pass


def _dimensions(name: str, secret: str | None, networks: list[str]) -> int:
    if name == WORDLLAMA:
        return WORDLLAMA_DIMENSIONS
    embedder = open_embedder(name, secret=secret, allowed=networks)
    try:
        return embedder.dimensions
    finally:
        embedder.close()


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _check(query: SearchInput) -> None:
    faults = [
        Fault(f"filter.{name}", "an attribute is compared with a text, a number, true, false or null", value)
        for name, value in query.filter.items()
        if value is not None and not isinstance(value, str | int | float | bool)
    ]
    if not 1 <= query.limit <= MOST_HITS:
        faults.append(Fault("limit", f"take 1 to {MOST_HITS} hits", query.limit))
    if faults:
        raise InvalidInput(faults)
