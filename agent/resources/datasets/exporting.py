"""From the workbench to files: each made in the run's own folder, brought to its own, put in place at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.resources.datasets.delivering import Delivery
from agent.resources.datasets.duck import Duck
from agent.resources.datasets.formats import Style, write_file
from agent.resources.datasets.names import file_name, values_of
from agent.resources.datasets.places import open_folder
from shared.models.dataset import SnapshotColumn

MOST_FILES = 10_000
MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """Where to and how. `name`: what `{name}` stands for; `columns` None: all of them."""

    style: Style
    folder: str
    file: str
    name: str
    columns: Sequence[str] | None = None
    rows_per_file: int | None = None
    replace: bool = True


def export(
    context: RunContext, bench: Duck, relation: str, columns: Sequence[SnapshotColumn], wish: Wish
) -> dict[str, Any]:
    """`{"rowsExported", "files", "errors", "names"}`; the files appear when all are whole."""
    chosen = _chosen(columns, wish.columns)
    rows = bench.execute(f"SELECT count(*) FROM {relation}").fetchone()[0]
    parts = _parts(rows, wish.rows_per_file)
    values = values_of(_moment(context), context.job_name, wish.name, context.run_id)
    with open_folder(context.file_roots, wish.folder, make=True) as folder:
        delivery = Delivery(folder, context.idempotency_key, context.clock)
        if swept := delivery.sweep():
            context.log(f"removed {swept} partial files that somebody who was stopped left behind")
        try:
            for number, part in enumerate(parts, 1):
                name = file_name(wish.file, values, number if len(parts) > 1 or wish.rows_per_file else None)
                if not wish.replace:
                    delivery.refuse_existing(name)
                made = context.scratch / "export.part"
                write_file(bench, relation, chosen, wish.style, made, part)
                delivery.bring(made, name)
                made.unlink()
                context.check_cancelled()
                context.progress(min(rows, part[0] + part[1]) if part else rows, rows, unit="rows", note=name)
            files = delivery.finish()
        except OSError as error:
            raise DriverError("file", f"'{wish.folder or 'exports'}' cannot be written: {error.strerror}") from None
        finally:
            delivery.give_up()
    context.log(f"{rows} rows in {len(files)} files: {', '.join(files[:5])}{' …' if len(files) > 5 else ''}")
    return {"rowsExported": rows, "files": len(files), "errors": 0, "names": files[:MOST_NAMED]}


def _moment(context: RunContext) -> datetime:
    """The same in all attempts of a run, so that they make the same names."""
    at = (context.checkpoint or {}).get("at")
    moment = datetime.fromisoformat(at) if at else context.clock.now()
    context.save_checkpoint({"at": moment.isoformat()})
    return moment


def _chosen(columns: Sequence[SnapshotColumn], names: Sequence[str] | None) -> list[SnapshotColumn]:
    if names is None:
        return list(columns)
    known = {column.name: column for column in columns}
    missing = [name for name in names if name not in known]
    if missing:
        raise DriverError("unknown_column", f"there is no column '{missing[0]}'; there are: {', '.join(known)}")
    return [known[name] for name in names]


def _parts(rows: int, size: int | None) -> list[tuple[int, int] | None]:
    if size is None:
        return [None]
    if rows > size * MOST_FILES:
        raise DriverError(
            "files", f"{rows} rows by {size} would be more than {MOST_FILES} files; raise `rows_per_file`"
        )
    return [(start, size) for start in range(0, max(rows, 1), size)]
