"""`jobdeck apply …`, `jobdeck export …`: jobs as code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli.calling import call
from console.cli.differing import difference_text
from console.cli.exporting import write_files, write_text
from console.cli.options import Json, Where
from console.cli.output import note, paint, say, say_done, say_json
from console.client import AgentClient
from console.render.amounts import count
from shared.definitions import definition_of, documents, line_of
from shared.errors import Fault, InvalidInput, NotFound
from shared.exits import Exit
from shared.models import Job
from shared.models.applying import Change, Changes, GivenDefinition, GivenDefinitions

_ENDINGS = {".toml", ".json"}
_SIGNS = {"create": ("+", "green"), "replace": ("~", "yellow"), "unchanged": ("=", "dim"), "refused": ("!", "red")}
_DONE = {"create": "created", "replace": "published", "unchanged": "unchanged"}
_PLANNED = {"create": "is created", "replace": "is replaced", "unchanged": "stays as it is", "refused": "is refused"}
_PAGE = 200


def apply(
    *,
    files: Annotated[
        list[str],
        typer.Option(
            "--file", "-f", metavar="FILE|DIR", help="TOML or JSON; '-' reads standard input. May be repeated."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    as_json: Json = False,
) -> int:
    """Create and replace jobs as files define them.

    A file is one definition, or several as [[jobs]]. A definition is known by its slug. With a mistake anywhere,
    nothing is changed. Exit code: 0 done, 2 a mistake.

    Example: jobdeck apply -f jobs/ --dry-run
    """  # fmt: skip
    texts = dict(_texts(files))
    given = GivenDefinitions(definitions=_all_given(texts))
    plan = call(lambda client: client.definitions.plan(given))
    if plan.refused:
        raise InvalidInput([fault for change in plan.refused for fault in _faults(change, texts)])
    changes = plan if dry_run else call(lambda client: client.definitions.apply(given))
    if changes.refused:  # somebody was faster between the two
        raise InvalidInput([fault for change in changes.refused for fault in _faults(change, texts)])
    if as_json:
        say_json(changes)
    else:
        _say_changes(plan, changes, dry_run=dry_run)
    return Exit.OK


def export(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Ids, slugs or names; default: all.")
    ] = None,
    *,
    where: Where = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE|DIR", help="A folder (a file a job) or one file; default: standard output."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of TOML; with -o, what was written.")] = False,
) -> int:
    """Write jobs as definitions that `jobdeck apply` takes back.

    Example: jobdeck export -o jobs/
    """  # fmt: skip
    found = call(lambda client: _load(client, keys or [], where))
    definitions = {job.slug: definition_of(job) for job in found}
    if output is None and as_json:
        say_json({"jobs": list(definitions.values())})
    elif output is None:
        say(write_text(list(definitions.values())).rstrip("\n"))
    else:
        written = write_files(definitions, output)
        words = f"{count(len(definitions), 'job')} in {count(written, 'file')}"
        say_done(words, {"jobs": len(definitions), "files": written}, as_json=as_json)
    return Exit.OK


def _texts(files: list[str]) -> Iterator[tuple[str, str]]:
    """By source, the text of each file; a folder stands for the TOML and JSON files below it."""
    for file in files:
        if file == "-":
            yield "standard input", sys.stdin.read()
            continue
        path = Path(file)
        paths = sorted(each for each in path.rglob("*") if _is_definition(each, path)) if path.is_dir() else [path]
        if not paths:
            raise InvalidInput.one("--file", "has no .toml or .json file in it", file)
        for each in paths:
            yield str(each), _read(each)


def _is_definition(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix in _ENDINGS and path.is_file() and not hidden


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InvalidInput.one("--file", f"{path} cannot be read: {why}") from error


def _all_given(texts: dict[str, str]) -> list[GivenDefinition]:
    """InvalidInput names every file that is no definition."""
    given: list[GivenDefinition] = []
    faults: list[Fault] = []
    for source, text in texts.items():
        try:
            given += _given(source, text)
        except InvalidInput as refusal:
            faults += refusal.faults
    if faults:
        raise InvalidInput(faults)
    return given


def _given(source: str, text: str) -> Iterator[GivenDefinition]:
    for document in documents(source, text):
        yield GivenDefinition(source=source, place=document.place, definition=_plain(document.values, source))


def _plain(values: dict[str, Any], source: str) -> dict[str, Any]:
    """TOML knows dates and times; a definition has them as text."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(values, default=_iso, allow_nan=False))
    except ValueError as error:
        raise InvalidInput.one(source, f"holds a number that JSON has not: {error}") from error
    return plain


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _faults(change: Change, texts: dict[str, str]) -> Iterator[Fault]:
    for fault in change.faults:
        path = ".".join(part for part in (change.place, fault.field) if part)
        line = line_of(texts.get(change.source, ""), path)
        yield Fault(f"{change.source}:{line}: {path}", fault.message, fault.value)


def _say_changes(plan: Changes, changes: Changes, *, dry_run: bool) -> None:
    for planned, change in zip(plan.items, changes.items, strict=True):
        sign, style = _SIGNS[change.act]
        words = _PLANNED[change.act] if dry_run else _done(change)
        if change.act == "unchanged" and len(changes.items) > 1:
            continue
        say(paint(f"{sign} {change.slug} {words}", style))
        for difference in planned.differences if change.act == "replace" or dry_run else ():
            say(f"    {difference_text(difference)}")
        if planned.next_fires and change.act != "unchanged":
            say(f"    {planned.schedule_text}, next {planned.next_fires[0]:%Y-%m-%d %H:%M}Z")
    acts: list[str] = [change.act for change in changes.items]
    counts = ", ".join(
        f"{acts.count(act)} {word}"
        for act, word in (("create", "new"), ("replace", "changed"), ("unchanged", "unchanged"))
    )
    note(f"{'a plan, nothing is stored: ' if dry_run else ''}{counts}")


def _done(change: Change) -> str:
    revision = f" as revision {change.revision}" if change.act == "replace" else ""
    return f"{_DONE[change.act]}{revision}"


async def _load(client: AgentClient, keys: list[str], where: str | None) -> list[Job]:
    if keys:
        return [await client.jobs.get(key) for key in keys]
    found: list[Job] = []
    while True:
        page = await client.jobs.page(where=where, sort="name", limit=_PAGE, start=len(found))
        found += page.items
        if not page.items or len(found) >= page.total:
            break
    if not found:
        raise NotFound("there is no job to export")
    return found
