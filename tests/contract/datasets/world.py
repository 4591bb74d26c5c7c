"""Sources with tables, datasets and folders for files, for drivers that are called as a worker calls them."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from agent.core.wire import ConnectionGrant, DatasetGrant, KnowledgeBaseGrant
from agent.drivers.dataset_refresh.manifest import MANIFEST as REFRESH
from agent.drivers.export.manifest import MANIFEST as EXPORT
from agent.drivers.import_.manifest import MANIFEST as IMPORT
from agent.drivers.snapshot_cleanup.manifest import MANIFEST as CLEANUP
from agent.resources.datasets.folder import SnapshotFolder
from agent.resources.embedders.names import WORDLLAMA_DIMENSIONS
from agent.resources.knowledge.file import FILE_NAME
from agent.workers.entries import load
from shared.models.dataset import Snapshot
from tests.harness.context import RecordingContext

MANIFESTS = {one.type: one for one in (REFRESH, EXPORT, IMPORT, CLEANUP)}


class DataWorld:
    """Connection `src`; dataset `orders` over it; `exports` is where files go."""

    def __init__(self, folder: Path, url: str, query: str | None = "SELECT * FROM orders ORDER BY id") -> None:
        self.folder = folder
        self.url = url
        self.query = query
        self.parameters: dict[str, Any] = {}
        self.keep_count: int | None = 10
        self.roots = [str(folder / "exports")]
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.kind = self.engine.dialect.name
        self.runs = 0

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def snapshots(self) -> SnapshotFolder:
        return SnapshotFolder(self.folder / "datasets" / "orders")

    @property
    def grant(self) -> ConnectionGrant:
        return ConnectionGrant(id="c1", name="src", kind=self.kind, url=self.url)

    @property
    def dataset(self) -> DatasetGrant:
        return DatasetGrant(
            id="d1", name="orders", path=str(self.snapshots.path), connection="src" if self.query else None,
            query=self.query, parameters=self.parameters, keep_count=self.keep_count,
        )  # fmt: skip

    @property
    def base(self) -> KnowledgeBaseGrant:
        """A knowledge base, empty at first."""
        return KnowledgeBaseGrant(
            id="k1", name="kb", path=str(self.folder / "kb"), embedder="wordllama", dimensions=WORDLLAMA_DIMENSIONS
        )

    def in_base(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """What searches can find: text and attributes by key."""
        with closing(sqlite3.connect(Path(self.base.path) / FILE_NAME)) as base:
            found = base.execute(
                "SELECT key, text, attributes FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
            ).fetchall()
        assert len({key for key, *_ in found}) == len(found), "a key is in the knowledge base twice"
        return {key: (text, json.loads(attributes)) for key, text, attributes in found}

    def context(self, run_id: str | None = None, **more: Any) -> RecordingContext:
        self.runs += 1
        run_id = run_id or f"run-{self.runs}"
        scratch = self.folder / "scratch" / run_id
        scratch.mkdir(parents=True, exist_ok=True)
        return RecordingContext(
            scratch,
            connections={"src": self.grant},
            datasets={"orders": self.dataset},
            knowledge_bases={"kb": self.base},
            file_roots=self.roots,
            run_id=run_id,
            **more,
        )

    def run(self, type_: str, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        manifest = MANIFESTS[type_]
        function, _ = load(manifest.entry)
        return function(context or self.context(), manifest.parameters.model_validate(parameters))

    def refresh(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        return self.run("dataset-refresh", context, dataset="orders", **parameters)

    def execute(self, statement: str, rows: Sequence[dict[str, Any]] = ()) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), list(rows) or None)

    def rows(self, statement: str = "SELECT * FROM orders ORDER BY id") -> list[tuple[Any, ...]]:
        if self.kind == "duckdb":  # its dialect would need a package for zones
            with duckdb.connect(self.url.removeprefix("duckdb:///")) as connection:
                return list(map(tuple, connection.execute(statement).fetchall()))
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def kept(self, snapshot: Snapshot | None = None) -> list[tuple[Any, ...]]:
        """The rows of a snapshot, the latest unless one is given; moments in UTC, without their zone."""
        folder = self.snapshots
        found = snapshot or folder.require("orders")
        with duckdb.connect() as connection:
            zoned = [c.name for c in found.columns if c.type == "TIMESTAMP WITH TIME ZONE"]
            replaced = ", ".join(f'timezone(\'UTC\', "{name}") AS "{name}"' for name in zoned)
            chosen = f"* REPLACE ({replaced})" if zoned else "*"
            return connection.execute(f"SELECT {chosen} FROM '{folder.parquet(found)}'").fetchall()


@contextmanager
def world_on(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[DataWorld]:
    """A world whose source is a real `sqlite`, `postgresql` or `duckdb`."""
    url = {"sqlite": f"sqlite:///{folder}/source.db", "duckdb": f"duckdb:///{folder}/source.duckdb"}.get(kind)
    world = DataWorld(folder, url or request.getfixturevalue("postgres_database").replace("://", "+psycopg://"))
    try:
        yield world
    finally:
        world.engine.dispose()


def main() -> int:
    """A run in a process of its own, to be killed: says its progress on standard output."""
    order = json.loads(sys.argv[1])
    world = DataWorld(Path(order["folder"]), order["url"], order["query"])
    context = world.context(order["run_id"], attempt=order["attempt"], checkpoint=order["checkpoint"])
    context.on_progress = lambda done, _total: print(done, flush=True)
    result = world.run(order["type"], context, **order["parameters"])
    print("result", json.dumps(result), flush=True)
    return 0
