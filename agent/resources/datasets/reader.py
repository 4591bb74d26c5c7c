"""A page of a snapshot's rows, read in a process of its own: `python -I -m agent.resources.datasets.reader`.

One JSON object comes in on standard input, one goes out on standard output. The condition is somebody's SQL, so the
process can reach the one file and nothing else, has little memory, and ends when its time is over.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError
from agent.resources.datasets.duck import Duck, connect, load_duckdb, quoted
from agent.resources.datasets.shown import plain_column, plain_value

MEMORY = "256MB"
MOST_MEMORY = 4 * 1024**3
"""Bytes of addresses, whatever DuckDB thinks that it uses."""
LARGEST = 16 * 1024**2
"""Characters of a page."""


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    request = json.load(sys.stdin)
    try:
        answer = {"result": _answer(request)}
    except DriverError as error:
        answer = {"error": {"kind": error.kind, "message": error.message}}
    json.dump(answer, answers)
    answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    file = Path(request["file"])
    if not file.is_file():
        raise DriverError("gone", "the snapshot is not there any more")
    with tempfile.TemporaryDirectory(prefix="jobdeck-rows-") as spill:
        duck = connect(None, Path(spill), memory=MEMORY, threads=1)
        timer = threading.Timer(request["seconds"], duck.interrupt)
        timer.daemon = True
        timer.start()
        try:
            return _page(duck, file, spill, request)
        finally:
            timer.cancel()
            duck.close()


def _page(duck: Duck, file: Path, spill: str, request: dict[str, Any]) -> dict[str, Any]:
    duckdb = load_duckdb()
    try:
        duck.execute(f"SET allowed_paths = [{quoted(str(file))}]")
        duck.execute(f"SET allowed_directories = [{quoted(spill + '/')}]")
        duck.execute("SET enable_external_access = false")
        duck.execute("SET lock_configuration = true")
        duck.execute(f"CREATE TEMP VIEW snapshot AS SELECT * FROM read_parquet({quoted(str(file))})")
        columns = [(name, type_) for name, type_, *_ in duck.execute("DESCRIBE snapshot").fetchall()]
        chosen = ", ".join(plain_column(name, type_) for name, type_ in columns)
        condition = f"WHERE ({request['where']}\n)" if request["where"] else ""
        _require_one(duck, f"SELECT 1 FROM snapshot {condition}")
        total = duck.execute(f"SELECT count(*) FROM snapshot {condition}").fetchone()[0]
        place = f"LIMIT {int(request['limit'])} OFFSET {int(request['start'])}"
        rows = duck.execute(f"SELECT {chosen} FROM snapshot {condition} {place}").fetchall()
    except duckdb.InterruptException:
        raise DriverError("slow", f"it took longer than {request['seconds']:g} s; narrow the condition") from None
    except duckdb.Error as error:
        kind = "where" if request["where"] else "unreadable"
        raise DriverError(kind, str(error).partition("\n\n")[0].replace("\n", " ")) from None
    shown = [[plain_value(value) for value in row] for row in rows]
    if sum(len(str(row)) for row in shown) > LARGEST:
        raise DriverError("limit", "the page is too large; ask for fewer rows")
    return {"rows": shown, "total": total}


def _require_one(duck: Duck, statement: str) -> None:
    found = duck.extract_statements(statement)
    if len(found) != 1 or found[0].type.name != "SELECT":
        raise DriverError("where", "must be one condition")


if __name__ == "__main__":
    main()
