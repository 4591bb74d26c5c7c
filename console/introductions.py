"""Jobs that something on the screen is of and that no page has brought: asked for by id, many at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from console.session import ConsoleSession
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from shared.models import Job

_AT_ONCE = 50
"""Ids that have room in a filter."""
_MOST = 5000
"""Jobs that are kept for their names; of what is beyond, the screens say ids."""

Learn = Callable[[Iterable["Job"]], None]


class Introductions:
    def __init__(self, session: ConsoleSession, spawn: Callable[[Awaitable[None]], None], learn: Learn) -> None:
        self._session = session
        self._spawn = spawn
        self._learn = learn
        self._wanted: dict[str, None] = {}
        self._asked: set[str] = set()
        """Also those of whom nothing is known: deleted, or not ours to see."""
        self._is_asking = False

    def ask(self, job_ids: Iterable[str]) -> None:
        """Whoever draws them calls again and again; each is asked for once."""
        known = self._session.world.named_jobs
        new = [job_id for job_id in job_ids if job_id not in known and job_id not in self._asked]
        self._wanted |= dict.fromkeys(new[: max(0, _MOST - len(self._asked))])
        if self._wanted and not self._is_asking and self._session.world.link.online:
            self._is_asking = True
            self._spawn(self._fetch())

    def forget(self) -> None:
        """The world begins anew."""
        self._asked.clear()

    async def _fetch(self) -> None:
        """What is not answered is asked for when it is drawn again."""
        session = self._session
        try:
            while some := list(self._wanted)[:_AT_ONCE]:
                self._wanted = {job_id: None for job_id in self._wanted if job_id not in some}
                page = await session.client.jobs.page(where=f"id:{','.join(some)}", limit=_AT_ONCE)
                self._asked.update(some)
                self._learn(page.items)
        except JobdeckError:
            self._wanted.clear()
        finally:
            self._is_asking = False
