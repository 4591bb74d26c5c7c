"""The code of `corpus-rebuild-vector-index`: build aside, measure, put in place."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.driving import DriverError, RunContext
from agent.core.wire import KnowledgeBaseGrant
from agent.drivers.corpus_rebuild_vector_index.parameters import RebuildParameters
from agent.resources.knowledge.failures import naming_trouble
from agent.resources.knowledge.file import open_for_reading
from agent.resources.knowledge.index.manifest import (
    ASIDE,
    GRAPH,
    TWINS,
    IndexManifest,
    described,
    publish,
    remove_unfinished,
    sync_folder,
)
from agent.resources.knowledge.lock import writer_lock
from agent.resources.knowledge.rows import newest_id
from agent.resources.knowledge.shares import current_generation

if TYPE_CHECKING:
    from agent.resources.knowledge.index.building import Content


def run(context: RunContext, parameters: RebuildParameters) -> dict[str, Any]:
    """DriverError: `no_data` if there is no row, `low_recall` if the floor is not reached; the old index stays."""
    started = context.clock.monotonic()
    target = context.knowledge_base(parameters.knowledge_base)
    folder = Path(target.path)
    with (
        naming_trouble(target.name),
        writer_lock(folder, context, target.name),
        _reading(folder, target) as base,
        _place_aside(folder) as aside,
    ):
        made = _made(context, parameters, _content(base, target), aside)
        with context.step("publish", "Put the index in place"):
            context.check_cancelled()
            for ending in made.files:
                aside[ending].rename(folder / f"{made.stem}.{ending}")
            sync_folder(folder)
            publish(folder, made)
    context.log(f"{made.rows} rows, recall {made.recall:.3f} with breadth {made.breadth}, {made.bytes} bytes")
    return {
        "rows": made.rows,
        "seconds": round(context.clock.monotonic() - started, 1),
        "bytes": made.bytes,
        "recall": made.recall,
        "breadth": made.breadth,
        "generation": made.generation,
    }


@contextmanager
def _reading(folder: Path, target: KnowledgeBaseGrant) -> Iterator[sqlite3.Connection]:
    """One state of the base from beginning to end."""
    try:
        opened = open_for_reading(folder)
    except FileNotFoundError:
        raise _no_data(target.name) from None
    with closing(opened) as base:
        base.execute("BEGIN")
        yield base


@contextmanager
def _place_aside(folder: Path) -> Iterator[dict[str, Path]]:
    """Files that nobody looks at, by ending; gone at the end unless they were put in place."""
    remove_unfinished(folder)
    aside = {ending: folder / f"{ASIDE}{os.getpid()}.{ending}" for ending in (GRAPH, TWINS)}
    try:
        yield aside
    finally:
        for path in aside.values():
            path.unlink(missing_ok=True)


def _content(base: sqlite3.Connection, target: KnowledgeBaseGrant) -> Content:
    try:
        from agent.resources.knowledge.index.building import Content
    except ImportError:
        raise DriverError(
            "driver_missing", "the index's library is not installed; run: pip install 'jobdeck[kb]'"
        ) from None
    return Content(base, target.embedder, target.dimensions)


def _made(
    context: RunContext, parameters: RebuildParameters, content: Content, aside: dict[str, Path]
) -> IndexManifest:
    from agent.resources.knowledge.index.building import Sample, Settings, build, save, save_twins, tuned

    ids = content.ids()
    if not len(ids):
        raise _no_data(parameters.knowledge_base)
    settings = Settings(parameters.connectivity, parameters.expansion, parameters.threads or _threads())

    def between(done: int) -> None:
        context.progress(done, len(ids), unit="rows")
        context.check_cancelled()

    with context.step("build", f"Build an index of {len(ids)} rows"):
        between(0)
        sample, twins = Sample(content, ids, parameters.sample), content.twins(context.check_cancelled)
        save(build(content, sample, twins, settings, between), aside[GRAPH])
        save_twins(twins, aside[TWINS])
    with context.step("measure", f"Compare {len(sample.questions)} searches with exact ones") as step:
        floor = parameters.recall_floor
        breadth, recall = tuned(aside[GRAPH], sample, twins, content, floor, context.check_cancelled)
        step.message(f"recall {recall:.3f}")
        _check_recall(recall, parameters)
    generation, newest = current_generation(content.base), newest_id(content.base)
    return IndexManifest(
        stem=f"index-{generation}-{newest}-{context.run_id}-{context.attempt}",
        files={ending: described(path) for ending, path in aside.items() if path.exists()},
        generation=generation,
        last_id=newest,
        rows=len(ids),
        embedder=content.embedder,
        dimensions=content.dimensions,
        connectivity=parameters.connectivity,
        breadth=breadth,
        recall=round(recall, 4),
        witnesses=content.witnesses(ids),
    )


def _check_recall(recall: float, parameters: RebuildParameters) -> None:
    if recall < parameters.recall_floor:
        raise DriverError(
            "low_recall",
            f"the new index finds {recall:.3f} of the nearest rows, below recall_floor {parameters.recall_floor:g};"
            " the index that was there stays. Raise connectivity and expansion, or lower the floor",
        )


def _threads() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


def _no_data(name: str) -> DriverError:
    return DriverError("no_data", f"knowledge base '{name}' has no rows to index; run its sync first")
