"""`jobdeck dataset …`."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import dependents
from console.cli.administering import administer
from console.cli.calling import call
from console.cli.options import Json, Private, Yes, visibility_of
from console.cli.output import Column, note, say, say_facts, say_json, say_table
from console.cli.watching import watch_started
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.faults import message_of
from shared.models.dataset import Dataset, DatasetRows, NewDataset, Snapshot
from shared.sizes import show_size

datasets = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Datasets: what queries find, kept as snapshots."
)

DatasetKey = Annotated[str, typer.Argument(metavar="DATASET", help="Its name or id.")]


@datasets.command("list")
def list_datasets(*, as_json: Json = False) -> int:
    """List datasets and their latest snapshots."""
    found = administer(lambda client: client.datasets.all())
    if as_json:
        say_json(found)
    elif found:
        columns = [
            Column("NAME", flexible=True),
            Column("CONNECTION"),
            Column("ROWS"),
            Column("SIZE"),
            Column("REFRESHED"),
        ]
        say_table([*columns, Column("SNAPSHOTS")], [_row(one) for one in found])
    else:
        note("no datasets; `jobdeck dataset create NAME --connection CONNECTION --query SQL` makes one")
    return Exit.OK


@datasets.command("show")
def show_dataset(dataset: DatasetKey, *, as_json: Json = False) -> int:
    """Show a dataset, its query and its latest snapshot."""
    found = administer(lambda client: client.datasets.get(dataset))
    if as_json:
        say_json(found)
        return Exit.OK
    latest = found.snapshot
    say_facts(
        [
            ("name", found.name),
            ("id", found.id),
            ("description", found.description),
            ("connection", found.connection or "none: imports fill it"),
            ("query", found.query or ""),
            ("parameters", json.dumps(found.parameters, ensure_ascii=False) if found.parameters else ""),
            ("keeps", _kept(found)),
            ("snapshots", str(found.snapshots)),
            ("refreshed", _moment(latest.created_at) if latest else "never"),
            ("rows", f"{latest.rows:,}" if latest else ""),
            ("columns", ", ".join(f"{column.name} {column.type}" for column in latest.columns) if latest else ""),
        ]
    )
    return Exit.OK


@datasets.command("create")
def create_dataset(
    name: Annotated[str, typer.Argument(help="As jobs name it.")],
    *,
    connection: Annotated[
        str | None, typer.Option(metavar="CONNECTION", help="The connection that its query runs on.")
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="One SELECT; `@FILE` reads it from a file, `-` from standard input.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="What a `:name` stands for.")
    ] = None,
    description: Annotated[str, typer.Option(help="What its rows are.")] = "",
    keep: Annotated[int | None, typer.Option(min=1, help="How many snapshots stay (10 if nothing is said).")] = None,
    keep_for: Annotated[str | None, typer.Option(help="How long snapshots stay, as in '30 days'.")] = None,
    private: Private = False,
    as_json: Json = False,
) -> int:
    """Create a dataset. Without connection and query it is filled by imports.

    Example: jobdeck dataset create orders --connection shop --query 'SELECT * FROM orders WHERE id > :least' -p least=10
    """
    wanted: dict[str, Any] = {"name": name, "description": description, "connection": connection}
    wanted |= {
        "query": _text_of(query),
        "parameters": _values(parameter or []),
        "visibility": visibility_of(private=private),
    }
    kept = {"count": keep, "age": keep_for} if keep or keep_for else {}
    made = administer(
        lambda client: client.datasets.create(_input(wanted | ({"keep": kept} if kept else {}))), sets_up=True
    )
    if as_json:
        say_json(made)
    else:
        say(made.id)
        note(f"dataset '{made.name}' is created; `jobdeck dataset refresh {made.name}` runs its query")
    return Exit.OK


@datasets.command("refresh")
def refresh_dataset(
    dataset: DatasetKey,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Watch it to its end; the exit code tells its outcome.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="With --wait: seconds to wait at most (exit code 9).")
    ] = None,
    as_json: Json = False,
) -> int:
    """Run a dataset's query now and store what it finds."""
    started = call(lambda client: client.datasets.refresh(dataset))
    if wait:
        return watch_started(started, timeout=timeout, logs=False, as_json=as_json)
    if as_json:
        say_json(started)
    else:
        say(started.id)
    return Exit.OK


@datasets.command("rows")
def show_rows(
    dataset: DatasetKey,
    *,
    where: Annotated[str | None, typer.Option(help="A condition in DuckDB's SQL, as in 'price > 20'.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many rows.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="How many rows to pass over.")] = 0,
    snapshot: Annotated[str | None, typer.Option(help="Another snapshot than the latest, by its id.")] = None,
    as_json: Json = False,
) -> int:
    """Show rows of a snapshot."""
    found = administer(
        lambda client: client.datasets.rows(dataset, snapshot=snapshot, where=where, limit=limit, offset=offset)
    )
    if as_json:
        say_json(found)
    else:
        _say_rows(found)
    return Exit.OK


@datasets.command("snapshots")
def list_snapshots(dataset: DatasetKey, *, as_json: Json = False) -> int:
    """List a dataset's snapshots, newest first."""
    found = administer(lambda client: client.datasets.snapshots(dataset))
    if as_json:
        say_json(found)
    elif found:
        columns = [
            Column("MADE"),
            Column("ROWS"),
            Column("SIZE"),
            Column("ID", flexible=True),
            Column("RUN", flexible=True),
        ]
        say_table(columns, [_snapshot_row(one) for one in found])
    else:
        note(f"no snapshots; `jobdeck dataset refresh {dataset}` makes one")
    return Exit.OK


@datasets.command("delete")
def delete_dataset(dataset: DatasetKey, *, yes: Yes = False, as_json: Json = False) -> int:
    """Delete a dataset with all its snapshots.

    The job that `refresh` made goes with it; others that name it fail from then on, and are named before it and after.
    """
    dependents.remove(
        dataset,
        f"Delete the dataset '{dataset}' with all its snapshots?",
        lambda client: client.datasets.users(dataset),
        lambda client: client.datasets.delete(dataset),
        word="deleted",
        yes=yes,
        as_json=as_json,
    )
    return Exit.OK


def _input(wanted: dict[str, Any]) -> NewDataset:
    from pydantic import ValidationError

    try:
        return NewDataset.model_validate(wanted)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "query"
        raise InvalidInput.one(place, message_of(first), None) from None


def _text_of(query: str | None) -> str | None:
    if query == "-":
        return sys.stdin.read()
    if query is None or not query.startswith("@"):
        return query
    try:
        return Path(query[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise InvalidInput.one("--query", f"the file cannot be read: {error}", query) from None


def _values(pairs: list[str]) -> dict[str, Any]:
    """`name=value`; a value that reads as JSON is that, anything else is text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise InvalidInput.one("--parameter", "write NAME=VALUE", pair)
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _row(one: Dataset) -> tuple[str, ...]:
    latest = one.snapshot
    told = (f"{latest.rows:,}", show_size(latest.bytes), _moment(latest.created_at)) if latest else ("", "", "never")
    return (one.name, one.connection or "", *told, str(one.snapshots))


def _snapshot_row(one: Snapshot) -> tuple[str, ...]:
    return (_moment(one.created_at), f"{one.rows:,}", show_size(one.bytes), one.id, one.run_id)


def _kept(one: Dataset) -> str:
    parts = [f"{one.keep.count} snapshots"] if one.keep.count else []
    if one.keep.age is not None:
        parts.append(f"none older than {one.keep.model_dump(mode='json')['age']}")
    return ", ".join(parts) or "all snapshots"


def _say_rows(found: DatasetRows) -> None:
    columns = [Column(column.name, flexible=True) for column in found.columns]
    say_table(columns, [["" if value is None else str(value) for value in row] for row in found.rows])
    last = found.start + len(found.rows)
    note(f"{f'rows {found.start + 1:,} to {last:,}' if found.rows else 'none'} of {found.total:,}")


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
