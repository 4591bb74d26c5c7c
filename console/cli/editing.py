"""Editing a job's definition in the operator's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer

from console.cli import definitions
from console.cli.calling import call
from console.cli.output import note
from shared.definitions import definition_of, read, write
from shared.errors import InvalidInput, JobdeckError
from shared.models import Draft, Job

T = TypeVar("T")

_HEAD = "# {name}, revision {revision}. Save and leave to publish; leave it unchanged to do nothing.\n"


def edit_job(job: Job) -> Job | None:
    """Open the definition, publish what was saved; None if nothing was changed."""
    head = _HEAD.format(name=job.slug, revision=job.revision)

    def publish(values: dict[str, Any]) -> Job:
        definition = definitions.check(values)
        return call(lambda client: client.jobs.replace(job.id, definition, job.version))

    return edit_definition(job, job.slug, head, publish)


def edit_definition(edited: Job | Draft, name: str, head: str, keep: Callable[[dict[str, Any]], T]) -> T | None:
    """Open the definition under its `head`, and `keep` what was saved; None if nothing was changed.

    What is refused can be edited again; the text is never lost: on giving up, the message names its file.
    """
    text, ending = write(definition_of(edited))
    text = head + text if ending == ".toml" else text
    descriptor, file_name = tempfile.mkstemp(prefix=f"jobdeck-{name}-", suffix=ending)
    path = Path(file_name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        kept = _edit_until_accepted(path, text, keep)
    except JobdeckError as error:
        _save(path, text)
        raise error
    path.unlink()
    return kept


def _edit_until_accepted(path: Path, before: str, keep: Callable[[dict[str, Any]], T]) -> T | None:
    while True:
        _open_editor(path)
        text = path.read_text(encoding="utf-8")
        if text == before:
            return None
        try:
            return keep(read(str(path), text))
        except InvalidInput as error:
            note(f"jobdeck: {error.message}")
            if not (sys.stdin.isatty() and typer.confirm("edit again?", default=True, err=True)):
                raise


def _save(path: Path, before: str) -> None:
    if path.read_text(encoding="utf-8") == before:
        path.unlink()
    else:
        note(f"your text is kept in {path}")


def _open_editor(path: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not named and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput.one("EDITOR", "name a program that edits the file: without a terminal nobody can")
    editor = named or "vi"
    try:
        code = subprocess.call([*shlex.split(editor), str(path)])  # noqa: S603 (the user's own editor)
    except (OSError, ValueError) as error:
        raise InvalidInput.one("EDITOR", f"cannot be started: {error}", editor) from error
    if code != 0:
        raise JobdeckError(f"the editor '{editor}' ended with {code}; nothing was stored")
