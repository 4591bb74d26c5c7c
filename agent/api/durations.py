"""How long requests took, by route: a histogram that is written out again only where something was counted since.

A page of it has thousands of lines, and is made on the loop that answers requests: the client library makes each line anew for
each page, which keeps everybody waiting for as long as some hundred requests take.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

NAME = "jobdeck_http_request_seconds"
_HELP = "Time until a request was answered; streams count until their first byte."
_HEAD = f"# HELP {NAME} {_HELP}\n# TYPE {NAME} histogram\n"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; up to and with each."""
_BOUNDS = (*map(str, BUCKETS), "+Inf")
MOST = 1000
"""Sets of labels. What would be one more is counted under the route `other`; methods and statuses are few."""


class _Series:
    """One set of labels."""

    __slots__ = ("_counts", "_labels", "_sum", "_text")

    def __init__(self, method: str, route: str, status: int) -> None:
        said = (("method", method), ("route", route), ("status", str(status)))
        self._labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in said)
        self._counts = [0] * len(_BOUNDS)
        self._sum = 0.0
        self._text: str | None = None

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds
        self._text = None

    def text(self) -> str:
        if self._text is None:
            self._text = self._written()
        return self._text

    def _written(self) -> str:
        totals = list(accumulate(self._counts))
        buckets = (
            f'{NAME}_bucket{{{self._labels},le="{bound}"}} {total}.0\n'
            for bound, total in zip(_BOUNDS, totals, strict=True)
        )
        tail = f"{NAME}_count{{{self._labels}}} {totals[-1]}.0\n{NAME}_sum{{{self._labels}}} {self._sum}\n"
        return "".join(buckets) + tail


class Durations:
    def __init__(self) -> None:
        self._series: dict[tuple[str, str, int], _Series] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        series = self._series.get((method, route, status))
        if series is None:
            series = self._made(method, route, status)
        series.observe(seconds)

    def page(self) -> str:
        """The text format."""
        return _HEAD + "".join(series.text() for series in self._series.values())

    def _made(self, method: str, route: str, status: int) -> _Series:
        kept = route if len(self._series) < MOST else "other"
        return self._series.setdefault((method, kept, status), _Series(method, kept, status))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
