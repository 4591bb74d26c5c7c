"""`jobdeck draft …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import definitions
from console.cli.calling import call, confirm
from console.cli.differing import say_comparison
from console.cli.editing import edit_definition
from console.cli.options import Json, Yes
from console.cli.output import Column, note, paint, say, say_json, say_table
from console.cli.wording import schedule_of, when
from console.client import AgentClient
from console.client.answers import Check
from shared.clock import SystemClock
from shared.definitions import definition_of, read, write
from shared.errors import InvalidInput, NotFound
from shared.exits import Exit
from shared.ids import is_id
from shared.models import Draft, DraftInput

drafts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Drafts: edits that nobody sees until they are committed."
)

DraftKey = Annotated[str, typer.Argument(metavar="DRAFT", help="A draft's id, or the job that it is an edit of.")]
File = Annotated[str | None, typer.Option("--file", "-F", help="Take the definition from here, or '-'.")]

_HEAD = "# {name}: a draft{base}. Save and leave to keep it; nothing is published before it is committed.\n"


@drafts.command("list")
def list_drafts(*, as_json: Json = False) -> int:
    """List your drafts, the one that was changed last first."""
    found = call(lambda client: client.drafts.mine())
    if as_json:
        say_json(found)
        return Exit.OK
    now = SystemClock().now()
    columns = [Column("DRAFT"), Column("NAME", flexible=True), Column("TYPE"), Column("OF"), Column("CHANGED")]
    say_table(columns, [(each.id, each.name, each.type, _base(each), when(each.updated_at, now)) for each in found])
    return Exit.OK


@drafts.command("show")
def show_draft(draft: DraftKey, *, as_json: Json = False) -> int:
    """Show what a draft says."""
    found = call(lambda client: client.drafts.get(draft))
    if as_json:
        say_json(found)
    else:
        say(write(definition_of(found))[0].rstrip())
    return Exit.OK


@drafts.command("create")
def create_draft(
    *,
    file: File = None,
    type_: Annotated[str | None, typer.Option("--type", help="Begin with the ready form of a job type.")] = None,
    as_json: Json = False,
) -> int:
    """Begin a job that does not exist yet; prints the draft's id.

    Example: jobdeck draft edit $(jobdeck draft create --type kb-sync)
    """
    given = _from_file(file) if file is not None else {}
    definition = definitions.check_draft(_form(type_) | given if type_ else given)
    made = call(lambda client: client.drafts.start(definition))
    if as_json:
        say_json(made)
    else:
        say(made.id)
    return Exit.OK


@drafts.command("edit")
def edit_draft(draft: DraftKey, *, file: File = None, as_json: Json = False) -> int:
    """Edit a draft in $VISUAL or $EDITOR. Of a job without one it is made.

    The job is not touched. What is still wrong with it is told, and kept.
    """
    before = call(lambda client: _open(client, draft))
    if file is not None:
        definition = definitions.check_draft(_from_file(file))
        after: Draft | None = call(lambda client: client.drafts.replace(before, definition))
    else:
        after = _in_editor(before)
    if after is None:
        note("nothing was changed")
    if as_json:
        say_json(after or before)
    else:
        _say_standing((after or before).id)
    return Exit.OK


@drafts.command("diff")
def diff_draft(draft: DraftKey, *, as_json: Json = False) -> int:
    """Show what committing a draft would change, fires included."""
    compared = call(lambda client: client.drafts.compare(draft))
    if as_json:
        say_json(compared)
    elif compared.fields:
        say_comparison(compared)
    else:
        note("nothing differs from the job")
    return Exit.OK


@drafts.command("rebase")
def rebase_draft(
    draft: DraftKey,
    *,
    prefer: Annotated[
        str | None, typer.Option(metavar="mine|theirs", help="Whose value a field gets that both changed.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Take into a draft what others published since it was made."""
    if prefer not in (None, "mine", "theirs"):
        raise InvalidInput.one("--prefer", "write mine or theirs", prefer)
    after = call(lambda client: client.drafts.rebase(draft, prefer))
    if as_json:
        say_json(after)
    else:
        say(f"the draft is an edit of revision {after.based_on} now")
    return Exit.OK


@drafts.command("commit")
def commit_draft(draft: DraftKey, *, as_json: Json = False) -> int:
    """Publish a draft: the job's next revision, or a new job.

    Refused, and nothing changed, if the job was changed since the draft was made: see `jobdeck draft rebase`.
    """
    job = call(lambda client: client.drafts.commit(draft))
    if as_json:
        say_json(job)
    else:
        say(f"published revision {job.revision} of {job.slug}: {schedule_of(job)}")
    return Exit.OK


@drafts.command("discard")
def discard_draft(draft: DraftKey, *, yes: Yes = False, as_json: Json = False) -> int:
    """Forget a draft; its job stays as it is."""
    doomed = call(lambda client: client.drafts.get(draft))
    confirm(f"discard the draft of '{doomed.name or 'a job without a name'}'?", yes=yes)
    call(lambda client: client.drafts.discard(doomed.id))
    if as_json:
        say_json({"discarded": doomed.id})
    else:
        say("discarded")
    return Exit.OK


async def _open(client: AgentClient, key: str) -> Draft:
    """By its own id, else as the draft of a job, made if need be."""
    if is_id(key):
        try:
            return await client.drafts.get(key)
        except NotFound:
            pass
    return await client.drafts.edit(key)


def _in_editor(draft: Draft) -> Draft | None:
    base = f" of revision {draft.based_on}" if draft.based_on else ""
    head = _HEAD.format(name=draft.name or "a job without a name", base=base)

    def keep(values: dict[str, Any]) -> Draft:
        definition: DraftInput = definitions.check_draft(values)
        return call(lambda client: client.drafts.replace(draft, definition))

    return edit_definition(draft, draft.slug or "draft", head, keep)


def _say_standing(draft_id: str) -> None:
    check = call(lambda client: client.drafts.check(draft_id))
    say(draft_id)
    _note_faults(check)


def _note_faults(check: Check) -> None:
    for fault in check.faults:
        note(f"{paint('to do', 'warning', sys.stderr)} {fault.field}: {fault.message}")
    if not check.faults:
        note("it can be committed")


def _form(job_type: str) -> dict[str, Any]:
    """An unknown type is refused with those that there are."""
    found = call(lambda client: client.jobs.drivers())
    form = next((each for each in found if each.type == job_type), None)
    if form is None:
        known = ", ".join(sorted(each.type for each in found if not each.action_only))
        raise InvalidInput.one("--type", f"there is no such job type; there are {known}", job_type)
    return {"type": job_type, "data": form.template or {}}


def _from_file(file: str) -> dict[str, Any]:
    return read("standard input", sys.stdin.read()) if file == "-" else definitions.read_file(Path(file))


def _base(draft: Draft) -> str:
    return f"revision {draft.based_on}" if draft.based_on else "a new job"
