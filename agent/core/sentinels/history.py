"""What a watch remembers of a job's runs, as values and as the JSON that is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.core.sentinels import flapping
from agent.core.sentinels.usual import Track

LEAST_DIFFERENCE = 10.0
"""Seconds: nobody calls a run slow that usually takes a moment and now takes three."""
LEAST_SILENCE = 120.0
"""Seconds that anything may come late: a start is on time within 60, and an agent may be started anew meanwhile."""
HABIT = 20
"""So many unusual runs in a row, over a day at least, are the habit from then on."""
HABIT_SPAN = timedelta(days=1)


@dataclass(slots=True)
class History:
    """`durations` of completed runs; `lags` from the moment when a sign of the job was expected to its coming (without a
    schedule: from the last one), in seconds. Durations unlike the rest are `odd`: learnt when their spell is over."""

    durations: Track = field(default_factory=lambda: Track(LEAST_DIFFERENCE))
    lags: Track = field(default_factory=lambda: Track(LEAST_SILENCE))
    outcomes: str = ""
    odd: list[float] = field(default_factory=list)
    odd_since: datetime | None = None
    calm: int = 0
    """Usual runs in a row since the last odd one."""
    heard: int = 0
    """The event of the last run that was learnt: none is learnt twice, wherever a look was cut short."""

    def forget_work(self) -> None:
        self.durations, self.outcomes = Track(LEAST_DIFFERENCE), ""
        self.end_spell()

    def forget_rhythm(self) -> None:
        self.lags = Track(LEAST_SILENCE)

    def add_outcome(self, letter: str) -> None:
        self.outcomes = (self.outcomes + letter)[-flapping.KEPT :]

    def add_odd(self, seconds: float, at: datetime) -> None:
        self.odd = [*self.odd, seconds][-HABIT:]
        self.odd_since = self.odd_since or at
        self.calm = 0

    def is_habit(self, at: datetime) -> bool:
        return len(self.odd) == HABIT and self.odd_since is not None and at - self.odd_since >= HABIT_SPAN

    def end_spell(self) -> None:
        self.odd, self.odd_since, self.calm = [], None, 0

    def dump(self) -> dict[str, Any]:
        return {
            "durations": self.durations.dump(),
            "lags": self.lags.dump(),
            "outcomes": self.outcomes,
            "odd": self.odd,
            "odd_since": self.odd_since.isoformat() if self.odd_since else None,
            "calm": self.calm,
            "heard": self.heard,
        }

    @classmethod
    def load(cls, stored: dict[str, Any]) -> History:
        if not stored:
            return cls()
        since = stored["odd_since"]
        return cls(
            Track.load(LEAST_DIFFERENCE, stored["durations"]),
            Track.load(LEAST_SILENCE, stored["lags"]),
            stored["outcomes"],
            stored["odd"],
            datetime.fromisoformat(since) if since else None,
            stored["calm"],
            stored["heard"],
        )
