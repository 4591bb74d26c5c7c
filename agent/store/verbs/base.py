"""How a verb reaches the store: reads on a reader, writes in the writer's next group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import exc

from agent.core.permissions.audit import acting
from agent.store.engine.readers import Readers
from agent.store.engine.writer import Writer
from agent.store.permissions import audit
from agent.store.verbs.look import is_simple, look
from shared.clock import Clock
from shared.errors import Unavailable

T = TypeVar("T")


class Verbs:
    """Each verb is handed to the function that does it, in a transaction."""

    def __init__(self, writer: Writer, readers: Readers, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def _read(self, query: Callable[..., T], *args: Any, **named: Any) -> T:
        memory = look()
        if memory is None or named or not is_simple(args):
            return await self._ask(query, *args, **named)
        if not memory.knows((query, args)):
            memory.learn({(query, args): await self._ask(query, *args)})
        answer: T = memory.answer((query, args))
        return answer

    async def _ask(self, query: Callable[..., T], *args: Any, **named: Any) -> T:
        try:
            return await self._readers.ask(lambda connection: query(connection, *args, **named))
        except exc.DBAPIError as error:
            raise Unavailable(f"the store cannot be read: {error.orig}") from error

    def _write(self, write: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Queued when it is called, not when it is awaited. On a caller's behalf it leaves a row in the record."""
        who = acting()
        if who is None:
            return self._writer.submit(lambda connection: write(connection, *args))
        now = self._clock.now()
        return self._writer.submit(lambda connection: audit.done(connection, who, now, write, args))

    def _write_aside(self, write: Callable[..., T], *args: Any) -> Awaitable[T]:
        """Of the agent's own duties, on nobody's behalf: what is to be committed at its moment does not give way to it."""
        return self._writer.submit(lambda connection: write(connection, *args), bides=True)

    def _write_all(self, write: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> Awaitable[list[T]]:
        """As so many writes, each with rows of its own in the record; all of them or none."""
        who, now = acting(), self._clock.now()
        if who is None:
            return self._writer.submit(lambda connection: [write(connection, *args) for args in calls])
        return self._writer.submit(lambda connection: [audit.done(connection, who, now, write, args) for args in calls])
