"""The code of `corpus-replace-filter-attrs`: read, make beside, put in force at once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunCancelled, RunContext
from agent.drivers.corpus_replace_filter_attrs.parameters import ReplaceParameters
from agent.drivers.corpus_replace_filter_attrs.reading import read_values
from agent.resources.knowledge.attributes.replacing import Replacement, key_columns_of, known_origins
from agent.resources.knowledge.failures import naming_trouble
from agent.resources.knowledge.file import open_for_writing
from agent.resources.knowledge.lock import writer_lock

LOOK_EVERY = 100_000
"""SQLite's instructions between two looks at `cancelled`, while all rows change at once: some milliseconds."""


def run(context: RunContext, parameters: ReplaceParameters) -> dict[str, Any]:
    """DriverError: `unknown_origin`; the table's own troubles as a sync has them."""
    target = context.knowledge_base(parameters.knowledge_base)
    folder = Path(target.path)
    with (
        naming_trouble(target.name),
        writer_lock(folder, context, target.name),
        closing(open_for_writing(folder)) as base,
    ):
        origins = _origins(base, parameters)
        request = json.dumps([parameters.model_dump(exclude={"batch_size"}), origins], sort_keys=True)
        replacement = Replacement(
            base, context.run_id, origins, parameters.form, request, reads=bool(parameters.columns)
        )
        if not replacement.done:
            _read(context, parameters, base, replacement)
            _make(context, parameters, replacement)
            with context.step("put in force", "Show the new attributes"), _interruptible(base, context):
                replacement.put_in_force()
    counts = replacement.counts
    context.log(f"{counts.rows_changed} of {counts.rows} rows have other attributes now")
    return {**asdict(counts), "origins": origins}


def _origins(base: sqlite3.Connection, parameters: ReplaceParameters) -> list[str]:
    known = known_origins(base)
    if parameters.origin is None or parameters.origin in known:
        return known if parameters.origin is None else [parameters.origin]
    there = f"it has rows of {', '.join(known)}" if known else "it has no rows yet; run its sync first"
    raise DriverError(
        "unknown_origin", f"knowledge base '{parameters.knowledge_base}' has no rows of '{parameters.origin}'; {there}"
    )


def _read(
    context: RunContext, parameters: ReplaceParameters, base: sqlite3.Connection, replacement: Replacement
) -> None:
    if parameters.connection is None or parameters.origin is None:
        return
    grant = context.connection(parameters.connection)
    keys = key_columns_of(base, parameters.origin)
    if not keys:
        raise DriverError(
            "unknown_origin", f"'{parameters.origin}' has no rows that are in force yet; run its sync first"
        )
    with context.step("read", f"Read {', '.join(parameters.columns.values())} of {parameters.origin}"):
        for values, scan in read_values(grant, parameters, keys, replacement.scan):
            context.check_cancelled()
            replacement.take_values(values, scan.to_json())
            context.progress(scan.seen, max(scan.seen, scan.total), unit="rows", note="read")


def _make(context: RunContext, parameters: ReplaceParameters, replacement: Replacement) -> None:
    done, total = replacement.count_made(), replacement.count_rows()
    with context.step("make", f"Make new attributes for {total} rows"):
        context.progress(done, total, unit="rows")
        context.check_cancelled()
        for made in replacement.make_rest(parameters.batch_size):
            done += made
            context.progress(done, total, unit="rows")
            context.check_cancelled()


@contextmanager
def _interruptible(base: sqlite3.Connection, context: RunContext) -> Iterator[None]:
    """A cancel ends the statement under way, which is undone."""
    context.check_cancelled()
    base.set_progress_handler(context.cancelled.is_set, LOOK_EVERY)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise RunCancelled from None
        raise
    finally:
        base.set_progress_handler(None, 0)
