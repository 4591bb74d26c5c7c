"""A question about a snapshot, in SQL, answered with a few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.core.wire import DatasetGrant
from agent.resources.connections import in_time
from agent.resources.datasets.duck import load_duckdb, named, workbench
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.datasets.gathering import columns_of
from agent.resources.datasets.parquet import ParquetFile
from agent.resources.datasets.shown import plain_column, plain_value


def ask(
    context: RunContext, grant: DatasetGrant, name: str, sql: str | None, limit: int, snapshot_id: str | None
) -> dict[str, Any]:
    """`{"snapshot", "columns", "rows", "truncated"}`; rows are objects. `sql`: one SELECT over the table `name`, None
    for all rows. It reaches nothing else."""
    folder = SnapshotFolder(Path(grant.path))
    snapshot = folder.require(grant.name, snapshot_id)
    with workbench(context) as bench:
        ParquetFile(bench, folder.parquet(snapshot), context.scratch).view(named(name))
        duckdb = load_duckdb()
        try:
            question = _checked(bench, sql) if sql else f"FROM {named(name)}"
            bench.execute(f"CREATE TEMP VIEW answer AS {question}")
            columns = columns_of(bench, "answer")
            chosen = ", ".join(plain_column(column.name, column.type) for column in columns)
            with in_time(grant.query_seconds, f"the dataset '{grant.name}'", bench.interrupt):
                rows = bench.execute(f"SELECT {chosen} FROM answer LIMIT {limit + 1}").fetchall()
        except duckdb.Error as error:
            context.check_cancelled()
            reason = str(error).partition("\n\n")[0].replace("\n", " ")
            raise DriverError("query", f"the question about '{name}' cannot be answered: {reason}") from None
    names = [column.name for column in columns]
    found = [dict(zip(names, map(plain_value, row), strict=True)) for row in rows[:limit]]
    return {"snapshot": snapshot.id, "columns": names, "rows": found, "truncated": len(rows) > limit}


def _checked(bench: Any, sql: str) -> str:
    statements = bench.extract_statements(sql)
    if len(statements) != 1 or statements[0].type.name != "SELECT":
        raise DriverError("query", "`sql` must be one SELECT")
    return sql.strip().rstrip(";")
