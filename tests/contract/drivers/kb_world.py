"""A source table on a real engine and a knowledge base beside it, for the contract of kb-sync and kb-reset."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from agent.core.driving import RunFunction
from agent.core.wire import ConnectionGrant, KnowledgeBaseGrant
from agent.drivers.corpus_rebuild_vector_index.parameters import RebuildParameters
from agent.drivers.corpus_rebuild_vector_index.run import run as rebuild_index
from agent.drivers.corpus_replace_filter_attrs.parameters import ReplaceParameters
from agent.drivers.corpus_replace_filter_attrs.run import run as replace_attributes
from agent.drivers.document_processing.parameters import DocumentParameters
from agent.drivers.document_processing.run import run as process_documents
from agent.drivers.kb_reset.manifest import MANIFEST as RESET
from agent.drivers.kb_reset.run import run as kb_reset
from agent.drivers.kb_sync.manifest import MANIFEST as SYNC
from agent.drivers.kb_sync.run import run as kb_sync
from agent.resources.embedders.local import WordLlamaEmbedder
from agent.resources.knowledge.file import FILE_NAME
from tests.harness.context import RecordingContext

NOON = datetime(2025, 6, 19, 12, 0, 0)  # noqa: DTZ001 - the column has no zone


class KbWorld:
    """Table `orders` (id, product, description, price, updated_at) in connection `orders_db`; base `orders_kb`."""

    def __init__(self, folder: Path, url: str, *, writable_url: str | None = None) -> None:
        self.folder = folder
        self.url = url
        self.engine = sa.create_engine(writable_url or url, poolclass=sa.NullPool)
        self.kind = self.engine.dialect.name
        self.base = folder / "orders_kb"
        self.embedded: list[str] = []
        self.runs = 0

    def create_orders(self, key: str = "PRIMARY KEY") -> None:
        self.execute(
            f"CREATE TABLE orders (id INTEGER {key}, product VARCHAR(200), description TEXT, price DECIMAL(10, 2),"
            " updated_at TIMESTAMP)"
        )

    def execute(self, statement: str, rows: Sequence[dict[str, Any]] | dict[str, Any] = ()) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), rows or None)

    def add(self, *ids: int, at: datetime | None = NOON, text: str = "blue shoes") -> None:
        self.execute(
            "INSERT INTO orders VALUES (:id, :product, :description, :price, :at)",
            [
                {"id": id_, "product": f"product {id_}", "description": text, "price": 1.5, "at": self.moment(at)}
                for id_ in ids
            ],
        )

    def moment(self, at: datetime | None) -> Any:
        """As the engine stores it: SQLite as the text that its own CURRENT_TIMESTAMP makes."""
        return at.isoformat(" ") if at and self.kind == "sqlite" else at

    def change(self, id_: int, *, text: str, at: datetime | None = None) -> None:
        moved = ", updated_at = :at" if at else ""
        values = {"id": id_, "text": text} | ({"at": self.moment(at)} if at else {})
        self.execute(f"UPDATE orders SET description = :text{moved} WHERE id = :id", values)

    def delete(self, *ids: int) -> None:
        self.execute("DELETE FROM orders WHERE id = :id", [{"id": id_} for id_ in ids])

    def context(self, run_id: str | None = None, **more: Any) -> RecordingContext:
        self.runs += 1
        return RecordingContext(
            self.folder,
            connections={"orders_db": self.grant},
            knowledge_bases={"orders_kb": self.kb_grant},
            run_id=run_id or f"run-{self.runs}",
            file_roots=[str(self.folder / "files")],
            **more,
        )

    @property
    def grant(self) -> ConnectionGrant:
        return ConnectionGrant(id="c1", name="orders_db", kind=self.kind, url=self.url)

    @property
    def kb_grant(self) -> KnowledgeBaseGrant:
        return KnowledgeBaseGrant(id="k1", name="orders_kb", path=str(self.base), embedder="wordllama", dimensions=256)

    def sync(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        return self._run(kb_sync, SYNC.parameters, context, parameters)

    def reset(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        return self._run(kb_reset, RESET.parameters, context, parameters)

    def rebuild(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        data = {"knowledge_base": "orders_kb", "threads": 1} | parameters
        return rebuild_index(context or self.context(), RebuildParameters.model_validate(data))

    def replace(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        data = {"knowledge_base": "orders_kb", **parameters}
        return replace_attributes(context or self.context(), ReplaceParameters.model_validate(data))

    def process(self, context: RecordingContext | None = None, **parameters: Any) -> dict[str, Any]:
        """Documents in the folder `files`, into the base unless `output` is given."""
        target = {} if "output" in parameters else {"knowledge_base": "orders_kb"}
        data = {"files": ["in"], **target, **parameters}
        with self._counting():
            return process_documents(context or self.context(), DocumentParameters.model_validate(data))

    def texts(self) -> dict[str, str]:
        """What searches can find: live rows by key."""
        return {key: text for key, text, _attributes in self._live()}

    def attributes(self) -> dict[str, dict[str, Any]]:
        return {key: json.loads(attributes) for key, _text, attributes in self._live()}

    def source_texts(self) -> dict[str, str]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT id, product, description FROM orders"))
            return {str(id_): f"{product}\n{description}" for id_, product, description in rows}

    def query(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.base / FILE_NAME)) as base:
            return base.execute(statement).fetchall()

    def _live(self) -> Iterator[Any]:
        rows = self.query(
            "SELECT key, text, attributes FROM rows JOIN shares ON shares.id = rows.share WHERE state = 'live'"
        )
        keys = [row[0] for row in rows]
        assert len(set(keys)) == len(keys), "a key is in the knowledge base twice"
        yield from rows

    def _run(
        self, function: RunFunction, model: Any, context: RecordingContext | None, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        data = {
            "source_table": "orders_db.orders",
            "knowledge_base": "orders_kb",
            "content_columns": ["product", "description"],
            "filter_column": "updated_at",
        } | parameters
        with self._counting():
            return function(context or self.context(), model.model_validate(data))

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """The real embedder does the work; what reaches it is written down."""
        embed = WordLlamaEmbedder.embed

        def counted(embedder: WordLlamaEmbedder, texts: Sequence[str]) -> Any:
            self.embedded.extend(texts)
            return embed(embedder, texts)

        with patch.object(WordLlamaEmbedder, "embed", counted):
            yield


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@contextmanager
def world_on(kind: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[KbWorld]:
    """A world whose source is a real `sqlite`, `postgresql` or `duckdb`."""
    url = {"sqlite": f"sqlite:///{folder}/source.db", "duckdb": f"duckdb:///{folder}/source.duckdb"}.get(kind)
    world = KbWorld(folder, url or request.getfixturevalue("postgres_database").replace("://", "+psycopg://"))
    try:
        yield world
    finally:
        world.engine.dispose()
