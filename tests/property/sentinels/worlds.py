"""A job and its runs, without an agent: what the rules are given, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from agent.core.sentinels.judging import Look
from agent.core.sentinels.passing import Passing
from agent.core.sentinels.patience import Patience
from agent.core.sentinels.records import EndedRun, Judged, Watch, WatchedJob
from shared.models import JobInput, SentinelKind

START = datetime(2026, 3, 2, tzinfo=UTC)


def definition(**fields: Any) -> dict[str, Any]:
    given = {"name": "Orders", "type": "command", "interval_type": "cron", "interval": "*/10 * * * *", **fields}
    return JobInput.model_validate(given).model_dump(mode="json")


@dataclass
class OneJob:
    """Remembers between looks what the store would: the watch, through JSON, and which sentinels are open."""

    definition: dict[str, Any] = field(default_factory=definition)
    patience: Patience = field(default_factory=Patience)
    passing: Passing = field(default_factory=Passing)
    watch: Watch | None = None
    open: dict[SentinelKind, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    ids: Callable[[], str] = field(default_factory=lambda: map(str, count()).__next__)

    def look(self, now: datetime, *runs: EndedRun) -> Judged:
        self.passing.look(now, (now - START).total_seconds())
        job = WatchedJob(1, 1, self.definition, START, True, False, self.watch, dict(self.open))
        judged = Look(job, self.patience, self.passing, now, self.ids).judge(runs)
        self.watch = replace(judged.watch, history=json.loads(json.dumps(judged.watch.history)))
        self._take(judged)
        return judged

    def _take(self, judged: Judged) -> None:
        """As the store does: what was open is closed first; a kind is open once at most."""
        over = {each.sentinel_id for each in judged.closed}
        for kind, known in list(self.open.items()):
            if known in over:
                del self.open[kind]
                self.told.append(f"closed {kind}")
        for new in judged.opened:
            assert new.kind not in self.open
            self.told.append(f"opened {new.kind}")
            if new.id in over:
                self.told.append(f"closed {new.kind}")
            else:
                self.open[new.kind] = new.id


def runs_of(
    seconds: Sequence[float], outcomes: str = "", every: timedelta = timedelta(minutes=10), lags: Sequence[float] = ()
) -> list[EndedRun]:
    """A run a fire, each so long; started a second after its moment, or after its own lag."""
    found = []
    for number, taken in enumerate(seconds):
        started = START + every * (number + 1) + timedelta(seconds=lags[number] if lags else 1)
        state = "failed" if outcomes[number : number + 1] == "F" else "completed"
        found.append(EndedRun(number + 1, str(number), 1, 1, state, started, started + timedelta(seconds=taken)))
    return found
