"""Which runs may be promised to a worker that is at another run: those that will be over in a moment."""

from __future__ import annotations

from agent.core.ports import Drivers
from agent.core.records import ClaimedRun
from agent.core.running.retrying import retries_when_lost
from shared.errors import InvalidInput

SHORT = 0.02
"""Seconds that a short run takes at most."""
_ENOUGH = 3
"""So many runs of a type in a row were short: the next are expected to be."""
FEW, MANY = 16, 256
"""Runs that may wait in one worker: at first, and at most."""
_WORK = 0.3
"""Seconds of work that may wait in one worker where more than a few runs do."""
_FADES = 0.9
"""What is left of a long run's weight after each shorter one."""


class Promising:
    """Learns from the runs that end here. A wrong guess costs little: what waits too long is called back."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers
        self._short: dict[str, int] = {}
        """By type, how many of its runs in a row were short."""
        self._longest: dict[str, float] = {}
        """By type, the seconds that one of its runs may take: of the longest of late."""
        self._usual: dict[str, float] = {}
        """By type, the seconds that its runs take on average, the latest counting most."""

    @property
    def has_any(self) -> bool:
        return any(count >= _ENOUGH for count in self._short.values())

    @property
    def most(self) -> int:
        """How many runs may wait in one worker."""
        longest = max((self._longest[type_] for type_, count in self._short.items() if count >= _ENOUGH), default=SHORT)
        return max(FEW, min(MANY, int(_WORK / max(longest, _WORK / MANY))))

    @property
    def most_together(self) -> int:
        """The same for what is due together, and shared out evenly: there the average tells how much work it is."""
        usual = max((self._usual[type_] for type_, count in self._short.items() if count >= _ENOUGH), default=SHORT)
        return max(FEW, min(MANY, int(_WORK / max(usual, _WORK / MANY))))

    def note(self, type_: str, seconds: float) -> None:
        self._short[type_] = self._short.get(type_, 0) + 1 if seconds <= SHORT else 0
        usual = self._usual.get(type_, seconds)
        self._usual[type_] = usual * _FADES + seconds * (1 - _FADES)
        self._longest[type_] = max(seconds, self._longest.get(type_, 0.0) * _FADES)

    def may_wait(self, claimed: ClaimedRun) -> bool:
        """Called on the store's thread. Only what may be tried again should its worker be lost: nobody would know
        whether it had begun."""
        run, limits = claimed.run, claimed.policies.limits
        return (
            not claimed.unreadable
            and self._short.get(run.type, 0) >= _ENOUGH
            and (run.expected_seconds is None or run.expected_seconds <= SHORT)
            and run.concurrency_key is None
            and not claimed.definition.actions
            and limits.memory is None
            and limits.open_files is None
            and run.attempt < run.max_attempts
            and self._is_retried(claimed)
        )

    def _is_retried(self, claimed: ClaimedRun) -> bool:
        try:
            repeat_safe = self._drivers.get(claimed.run.type).repeat_safe
        except InvalidInput:
            return False
        return retries_when_lost(claimed, repeat_safe=repeat_safe)
