"""What a sentinel says, in plain words and with its figures."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.core.sentinels.flapping import WINDOW, Flapping
from agent.core.sentinels.records import WaitingRun
from agent.core.sentinels.usual import Usual

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def overdue_fire(expected: datetime, usual: Usual, seen: int, waiting: WaitingRun | None) -> str:
    return (
        f"The run due at {moment(expected)} has not ended{_where(waiting)}; usually one ends {span(usual.median)} after "
        f"its moment ({seen} seen), and after {span(usual.high)} it counts as overdue."
    )


def overdue_arrival(last: datetime, usual: Usual, seen: int, waiting: WaitingRun | None) -> str:
    return (
        f"No run has ended since {moment(last)}{_where(waiting)}; usually the next one ends {span(usual.median)} later "
        f"({seen} seen), and after {span(usual.high)} it counts as overdue."
    )


def running_too_long(seconds: float, usual: Usual, seen: int) -> str:
    return f"A run has been under way for {span(seconds)}; {_usually(usual, seen)}; {_too_slow(usual)}"


def took_too_long(seconds: float, usual: Usual, seen: int) -> str:
    return f"A run took {span(seconds)}; {_usually(usual, seen)}; {_too_slow(usual)}"


def over_too_soon(seconds: float, usual: Usual, seen: int) -> str:
    return (
        f"A run was over in {span(seconds)}; {_usually(usual, seen)}; less than {span(usual.low)} counts as too fast."
    )


def flapped(found: Flapping) -> str:
    return (
        f"Success and failure changed {found.changes} times in the last {WINDOW} runs, {found.failed} of which failed; "
        f"usually {found.usual:.1f} times; {found.limit} count as flapping."
    )


def came(at: datetime) -> str:
    return f"A run ended at {moment(at)}."


def calmed_down(runs: int) -> str:
    return f"The last {runs} runs took as long as usual."


def became_usual(usual: Usual) -> str:
    return f"It has become usual: a run takes about {span(usual.median)} now."


def steadied(found: Flapping) -> str:
    how = "once" if found.changes == 1 else f"{found.changes} times"
    return f"Success and failure changed {how if found.changes else 'not at all'} in the last {WINDOW} runs."


def span(seconds: float) -> str:
    """Two units at most: `2h 5m`, `31s`, `0.4s`."""
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    rest, parts = round(seconds), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _usually(usual: Usual, seen: int) -> str:
    return f"usually it takes {span(usual.median)} ({seen} seen)"


def _too_slow(usual: Usual) -> str:
    return f"more than {span(usual.high)} counts as too slow."


def _where(waiting: WaitingRun | None) -> str:
    return f" (one is {waiting.state})" if waiting else ""
