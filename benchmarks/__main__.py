"""`make bench`; `make bench ONLY=starting` (or another of the names below) for one part, the longest among them.

Of `contracts` some rows alone: `ONLY=contracts:corpus` for those in whose names the pattern is found.
"""

from __future__ import annotations

import io
import sys

from agent.logging import set_up_logging
from agent.loop import run
from benchmarks import console, contracts, events, logs, main_job, queries, runs, scale, search, starting, sync
from benchmarks.pairs import Comparison

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
        for comparison in await _part(name):
            print(comparison, flush=True)  # noqa: T201  (its output is what it is for)


async def _part(name: str) -> list[Comparison]:
    part, _, rows = name.partition(":")
    return await (contracts.measure(rows) if rows else PARTS[part]())


def _is_known(name: str) -> bool:
    part, has_rows, _ = name.partition(":")
    return part in PARTS and (not has_rows or part == "contracts")


unknown = [name for name in sys.argv[1:] if not _is_known(name)]
if unknown:
    sys.exit(f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}, and rows of contracts alone")
set_up_logging("text", io.StringIO())
run(_print_all(sys.argv[1:] or list(_SHORT)))
