"""The client as its users see it: one object for one agent, its routes by subject."""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

from console.client.line import Line, Sleep, default_sleep
from console.client.stream import EventStream
from console.client.target import Target
from shared.clock import Clock, SystemClock

if TYPE_CHECKING:
    from console.client.access import Access
    from console.client.catch_up import CatchUps
    from console.client.datasets import Datasets
    from console.client.definitions import Definitions
    from console.client.drafts import Drafts
    from console.client.jobs import Jobs
    from console.client.people import People
    from console.client.runs import Runs
    from console.client.sentinels import Sentinels
    from console.client.session import Session
    from console.client.shares import Shares
    from console.client.world import World


class AgentClient:
    """Talks to one agent. Nothing is opened before the first call; httpx and pydantic are loaded by it.

    Every method raises errors of shared.errors alone: what the agent refuses arrives as the same error
    that it raised, trouble on the way as Unavailable with a sentence that says who, where, what to do.
    """

    def __init__(
        self,
        target: Target,
        *,
        clock: Clock | None = None,
        sleep: Sleep = default_sleep,
        jitter: Line.Jitter = random.random,
        timeout: float = 10.0,
        user_agent: str = "jobdeck",
    ) -> None:
        self.target = target
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._jitter = jitter
        self._timeout = timeout
        self._user_agent = user_agent
        self._lines: WeakSet[Line] = WeakSet()

    @cached_property
    def session(self) -> Session:
        """The connection itself, for routes that have no method yet."""
        from console.client.session import Session

        return Session(self.target, timeout=self._timeout, user_agent=self._user_agent, on_answer=self.hurry)

    @cached_property
    def jobs(self) -> Jobs:
        from console.client.jobs import Jobs

        return Jobs(self.session)

    @cached_property
    def drafts(self) -> Drafts:
        """The caller's own edits that are not published yet."""
        from console.client.drafts import Drafts

        return Drafts(self.session)

    @cached_property
    def runs(self) -> Runs:
        from console.client.runs import Runs

        return Runs(self.session, self._line)

    @cached_property
    def catch_ups(self) -> CatchUps:
        """Missed fires that wait for an operator, or for their turn."""
        from console.client.catch_up import CatchUps

        return CatchUps(self.session)

    @cached_property
    def definitions(self) -> Definitions:
        """Jobs as code."""
        from console.client.definitions import Definitions

        return Definitions(self.session)

    @cached_property
    def datasets(self) -> Datasets:
        """Datasets, their snapshots, the rows in them."""
        from console.client.datasets import Datasets

        return Datasets(self.session)

    @cached_property
    def world(self) -> World:
        """The agent itself, its workers and the ledger; connections and knowledge bases."""
        from console.client.world import World

        return World(self.session)

    @cached_property
    def access(self) -> Access:
        """Tokens and secrets."""
        from console.client.access import Access

        return Access(self.session)

    @cached_property
    def people(self) -> People:
        """Accounts and users; logging in and out."""
        from console.client.people import People

        return People(self.session)

    @cached_property
    def sentinels(self) -> Sentinels:
        """Jobs that behave unlike themselves."""
        from console.client.sentinels import Sentinels

        return Sentinels(self.session)

    @cached_property
    def shares(self) -> Shares:
        """Whose things are, and who else may do what with them; and what was done."""
        from console.client.shares import Shares

        return Shares(self.session)

    def events(self, after: int | None = None) -> EventStream:
        """Everything that happens after event `after`, for ever; without it from now on."""
        return EventStream(self, self._line(), after)

    def hurry(self) -> None:
        """Lines that are down and rest try now: whoever answers a request is there again."""
        for line in tuple(self._lines):
            line.hurry()

    async def close(self) -> None:
        if "session" in self.__dict__:
            await self.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _line(self) -> Line:
        line = Line(self._clock, self._sleep, self._jitter)
        self._lines.add(line)
        return line
