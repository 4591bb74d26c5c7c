"""`make bench`; `make bench ONLY=starting` (or another of the names below) for one part, the longest among them."""

from __future__ import annotations

import io
import sys

from agent.logging import set_up_logging
from agent.loop import run
from benchmarks import console, contracts, events, logs, main_job, queries, runs, scale, search, starting, sync

PARTS = {
    "console": console.measure,
    "contracts": contracts.measure,
    "events": events.measure,
    "logs": logs.measure,
    "main_job": main_job.measure,
    "queries": queries.measure,
    "runs": runs.measure,
    "scale": scale.measure,
    "search": search.measure,
    "search_indexed": search.measure_indexed,
    "search_many": search.measure_many,
    "starting": starting.measure,
    "sync": sync.measure,
}
_SHORT = ("console", "main_job", "runs")


async def _print_all(names: list[str]) -> None:
    for name in names:
        for comparison in await PARTS[name]():
            print(comparison, flush=True)  # noqa: T201  (its output is what it is for)


unknown = set(sys.argv[1:]) - set(PARTS)
if unknown:
    sys.exit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
set_up_logging("text", io.StringIO())
run(_print_all(sys.argv[1:] or list(_SHORT)))
