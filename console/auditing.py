"""The record of what was done, for who looks at it: pages of it on demand, and what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from console.model import Window
from console.model.trail import Trail
from console.session import ConsoleSession

if TYPE_CHECKING:
    from shared.filters.terms import Comparison, Term

_PAGE = 200
_MOST_NEWS = 5
"""Pages of news that are read one after the other; what comes beyond is read at the next look."""


class Auditing:
    """`trail` is what is known; it changes here alone, and the screens hear of it."""

    def __init__(self, session: ConsoleSession) -> None:
        self._session = session
        self.trail = Trail()

    async def more(self, where: str, window: Window) -> None:
        """The next page of what matches, from the newest down; JobdeckError when it cannot be had."""
        before = window.asked()
        try:
            wanted = self._wanted(where)
            page = await self._session.client.shares.record(**wanted, before=before, limit=_PAGE)
        except BaseException:
            window.failed()
            raise
        window.took(page.before)
        self._session.publish(self.trail.take(page.items, None if wanted else page.before or 0))

    async def news(self) -> None:
        """What was done since, and how often by now what was refused lately."""
        for _ in range(_MOST_NEWS):
            page = await self._session.client.shares.record(after=self.trail.news_after, limit=_PAGE)
            changes = self.trail.take(page.items)
            if changes:
                self._session.publish(changes)
            if len(page.items) < _PAGE or not changes.added:
                break

    def begin_anew(self) -> None:
        """Another filter: what the last one brought from further down goes."""
        self._session.publish(self.trail.keep_whole())

    def _wanted(self, where: str) -> dict[str, Any]:
        """What of the filter the agent can see to by itself; the rest is seen to here."""
        from shared.filters import parse

        wanted: dict[str, Any] = {}
        for term in parse(where, "audit").terms:
            wanted |= self._asked_for(term)
        return wanted

    def _asked_for(self, term: Term) -> Mapping[str, Any]:
        from shared.filters.terms import Comparison

        if not isinstance(term, Comparison) or term.negated or len(term.values) != 1:
            return {}
        if term.field == "at":
            return _span(term, self._session.now())
        value = term.values[0]
        if term.op != ":" or term.field not in ("user", "subject", "act", "outcome") or not isinstance(value, str):
            return {}
        spelled = value if term.field == "outcome" else self._spelled(value)
        return {} if spelled is None else {term.field: spelled}

    def _spelled(self, value: str) -> str | None:
        """As the record spells it, which asks letter by letter; None: that is not known."""
        known = {name.lower(): name for name in self._names()}
        if value.lower() in known:
            return known[value.lower()]
        try:
            return str(UUID(value))
        except ValueError:
            return None

    def _names(self) -> Iterable[str]:
        for job in self._session.world.named_jobs.values():
            yield job.name
        for entry in self.trail.entries.values():
            yield from (entry.user_id, entry.handle, entry.act, entry.subject_id)
            yield from (name for name in (entry.event, entry.subject_name) if name)


def _span(term: Comparison, now: datetime) -> dict[str, str]:
    """`at<2h`, `at:today`, `at>=2026-03-01` as the agent is asked: never less than what was meant."""
    from shared.filters.filter import stretch_of
    from shared.filters.terms import Day, Stretch

    value = term.values[0]
    if isinstance(value, timedelta):
        return {("since" if "<" in term.op else "until"): (now - value).isoformat()}
    stretch = stretch_of(value, now) if isinstance(value, Day) else value
    if not isinstance(stretch, Stretch):
        return {}
    since = {} if "<" in term.op else {"since": stretch.start.isoformat()}
    return since if ">" in term.op else since | {"until": stretch.end.isoformat()}
