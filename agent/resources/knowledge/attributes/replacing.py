"""Replacing the attributes of many rows: each row's new ones are written beside it, some thousand at a time, and at the
end all of them are put in force at once; until then searches see the old ones.

What is written beside a row says from what it was made. If a sync changes the row before the end, between two attempts
of a run, it is made again. So nothing is lost, nothing is done twice, and no order has to be remembered.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.resources.knowledge.attributes.form import AttributeForm, canonical, put_form, showing
from agent.resources.knowledge.file import transaction
from agent.resources.knowledge.writing import digest

_COUNT_ROWS = "SELECT count(*) FROM rows WHERE rows.share IN (SELECT value FROM json_each(:shares))"
_COUNT_MADE = """
    SELECT count(*) FROM rows JOIN replaced ON replaced.row = rows.id AND replaced.made_from = rows.attributes_hash
    WHERE rows.share IN (SELECT value FROM json_each(:shares))
"""
_WITH_KEYS = """
    SELECT id, attributes, source_attributes, attributes_hash, key FROM rows
    WHERE share IN (SELECT value FROM json_each(:shares)) AND key IN (SELECT value FROM json_each(:keys))
"""
_NOT_MADE = """
    SELECT rows.id, rows.attributes, rows.source_attributes, rows.attributes_hash, replaced.read_values
    FROM rows LEFT JOIN replaced ON replaced.row = rows.id
    WHERE rows.share IN (SELECT value FROM json_each(:shares)) AND rows.id > :last
    AND replaced.made_from IS NOT rows.attributes_hash ORDER BY rows.id LIMIT :limit
"""
_WRITE = """
    INSERT OR REPLACE INTO replaced (row, attributes, attributes_hash, source_attributes, made_from, read_values)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_DIFFERENCES = """
    SELECT count(*) FILTER (WHERE rows.attributes IS NOT replaced.attributes),
    count(*) FILTER (WHERE replaced.read_values IS NULL)
    FROM rows JOIN replaced ON replaced.row = rows.id AND replaced.made_from = rows.attributes_hash
"""
_PUT_IN_FORCE = """
    UPDATE rows SET attributes = replaced.attributes, attributes_hash = replaced.attributes_hash,
    source_attributes = replaced.source_attributes FROM replaced
    WHERE replaced.row = rows.id AND replaced.made_from = rows.attributes_hash
    AND (rows.attributes, rows.source_attributes, rows.attributes_hash) IS NOT
    (replaced.attributes, replaced.source_attributes, replaced.attributes_hash)
"""

_Row = tuple[int, str, str | None, bytes, str | None]


@dataclass(frozen=True, slots=True)
class ReplacedCounts:
    """Over all attempts of the run. `rows_read`: rows of the table whose values were taken over."""

    rows: int = 0
    rows_changed: int = 0
    rows_read: int = 0
    rows_not_in_source: int = 0


class Replacement:
    """One run's replacement in the base; the caller holds the writer lock. `request` says all that was asked for: a
    run that was edited between two attempts starts anew. `reads`: values of the table are taken."""

    def __init__(
        self,
        base: sqlite3.Connection,
        run_id: str,
        origins: Sequence[str],
        form: AttributeForm,
        request: str,
        *,
        reads: bool = False,
    ) -> None:
        self.counts = ReplacedCounts()
        self.scan: str | None = None
        self.done = False
        self._base = base
        self._run_id = run_id
        self._origins = list(origins)
        self._form = form
        self._reads = reads
        self._shown = showing(form)
        self._shares = json.dumps(_shares_of(base, origins))
        self._take_up(request)

    def count_rows(self) -> int:
        return self._one(_COUNT_ROWS)

    def count_made(self) -> int:
        """Rows whose new attributes are written beside them, and still right."""
        return self._one(_COUNT_MADE)

    def take_values(self, values: Mapping[str, dict[str, Any]], scan: str | None) -> None:
        """Make the rows with these keys, with these values put into what the source has, and remember how far it is."""
        found = self._base.execute(_WITH_KEYS, {"shares": self._shares, "keys": json.dumps(list(values))})
        fresh = [(*row[:4], json.dumps(values[row[4]])) for row in found.fetchall()]
        with transaction(self._base):
            self._write(fresh)
            self.counts = replace(self.counts, rows_read=self.counts.rows_read + len(fresh))
            self._remember(scan)

    def make_rest(self, batch_size: int) -> Iterator[int]:
        """Make what is not made yet, or not right any more; how many, after each batch is committed."""
        last = 0
        while rows := self._waiting(last, batch_size):
            with transaction(self._base):
                self._write(rows)
            last = rows[-1][0]
            yield len(rows)

    def put_in_force(self) -> None:
        """Searches see the new attributes of every row from now on, and syncs bring them in so; in one transaction."""
        with transaction(self._base):
            self.counts = replace(self.counts, rows=self.count_rows(), **self._differences())
            self._base.execute(_PUT_IN_FORCE)
            self._base.execute("DELETE FROM replaced")
            for origin in self._origins:
                put_form(self._base, origin, self._form)
            self.done = True
            self._remember(None)

    def _take_up(self, request: str) -> None:
        stored = self._base.execute(
            "SELECT done, scan, counts FROM replacements WHERE run_id = ? AND request = ?", (self._run_id, request)
        ).fetchone()
        if stored:
            self.done, self.scan, self.counts = bool(stored[0]), stored[1], ReplacedCounts(**json.loads(stored[2]))
            return
        with transaction(self._base):  # what another run left half done is of no use
            self._base.execute("DELETE FROM replaced")
            self._base.execute("DELETE FROM replacements")
            self._base.execute(
                "INSERT INTO replacements (run_id, request, counts) VALUES (?, ?, '{}')", (self._run_id, request)
            )

    def _waiting(self, last: int, limit: int) -> list[_Row]:
        given = {"shares": self._shares, "last": last, "limit": limit}
        return self._base.execute(_NOT_MADE, given).fetchall()

    def _write(self, rows: Sequence[_Row]) -> None:
        self._base.executemany(_WRITE, [self._made(*row) for row in rows])

    def _made(
        self, id_: int, attributes: str, source: str | None, made_from: bytes, values: str | None
    ) -> tuple[int, str, bytes, str | None, bytes, str | None]:
        had = json.loads(source or attributes)
        if values is not None:
            had |= json.loads(values)
        text = canonical(had)
        shown, kept = self._shown(had, text)
        return id_, shown, digest(text.encode()), kept, made_from, values

    def _differences(self) -> dict[str, int]:
        changed, unread = self._base.execute(_DIFFERENCES).fetchone()
        return {"rows_changed": changed, "rows_not_in_source": unread if self._reads else 0}

    def _remember(self, scan: str | None) -> None:
        self.scan = scan
        self._base.execute(
            "UPDATE replacements SET done = ?, scan = ?, counts = ? WHERE run_id = ?",
            (self.done, scan, json.dumps(asdict(self.counts)), self._run_id),
        )

    def _one(self, query: str) -> int:
        return int(self._base.execute(query, {"shares": self._shares}).fetchone()[0])


def known_origins(base: sqlite3.Connection) -> list[str]:
    """Of all that has content, or is being filled."""
    return [origin for (origin,) in base.execute("SELECT DISTINCT origin FROM shares WHERE state != 'dead' ORDER BY 1")]


def key_columns_of(base: sqlite3.Connection, origin: str) -> tuple[str, ...]:
    """The columns that make the keys of the origin's live rows; () if it has none."""
    found = base.execute("SELECT key_columns FROM shares WHERE origin = ? AND state = 'live'", (origin,)).fetchone()
    return tuple(json.loads(found[0])) if found else ()


def _shares_of(base: sqlite3.Connection, origins: Sequence[str]) -> list[int]:
    found = base.execute(
        "SELECT id FROM shares WHERE state != 'dead' AND origin IN (SELECT value FROM json_each(?))",
        (json.dumps(list(origins)),),
    )
    return [id_ for (id_,) in found]
