"""`jobdeck job revisions|diff|restore`: every published state of a job, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.calling import call, confirm
from console.cli.differing import say_comparison
from console.cli.options import JobKey, Json, Yes
from console.cli.output import Column, note, say, say_json, say_table
from console.cli.wording import schedule_of, when
from console.client import AgentClient
from console.client.answers import Comparison, Revision
from shared.clock import SystemClock
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.models import Job

Number = Annotated[int, typer.Argument(metavar="REVISION", min=1, help="As `jobdeck job revisions` numbers them.")]


def list_revisions(job: JobKey, *, as_json: Json = False) -> int:
    """List what a job was, newest first."""
    found = call(lambda client: client.jobs.revisions(job))
    if as_json:
        say_json(found)
        return Exit.OK
    now = SystemClock().now()
    columns = [Column("REVISION"), Column("PUBLISHED"), Column("BY", flexible=True), Column("", flexible=True)]
    say_table(
        columns, [(str(each.revision), when(each.created_at, now), _author(each), _remark(each)) for each in found]
    )
    return Exit.OK


def diff_revisions(
    job: JobKey,
    revision: Annotated[int | None, typer.Argument(min=1, help="Default: the one before the newest.")] = None,
    other: Annotated[int | None, typer.Argument(min=1, help="Default: the newest.")] = None,
    *,
    as_json: Json = False,
) -> int:
    """Show what two revisions differ in, next fires included.

    Example: jobdeck job diff backup 3
    """

    async def load(client: AgentClient) -> Comparison:
        newest = (await client.jobs.get(job)).revision
        before, after = revision or newest - 1, other or newest
        if before < 1:
            raise InvalidInput.one("REVISION", "the job has one revision; there is nothing to compare it with")
        return await client.jobs.compare(job, before, after)

    compared = call(load)
    if as_json:
        say_json(compared)
    elif compared.fields:
        say_comparison(compared)
    else:
        note("nothing differs")
    return Exit.OK


def restore_revision(job: JobKey, revision: Number, *, yes: Yes = False, as_json: Json = False) -> int:
    """Go back: publish an old revision again, as the next one.

    It is checked as every definition is: what it names must be there now.

    Example: jobdeck job restore backup 3
    """

    async def load(client: AgentClient) -> tuple[Job, Comparison]:
        now = await client.jobs.get(job)
        return now, await client.jobs.compare(job, now.revision, revision)

    now, compared = call(load)
    if not yes:
        say_comparison(compared)
    confirm(f"restore revision {revision} of '{now.name}'?", yes=yes)
    after = call(lambda client: client.jobs.restore(now.id, revision, now.version))
    if as_json:
        say_json(after)
    else:
        say(f"published revision {after.revision} of {after.slug}, as revision {revision} was: {schedule_of(after)}")
    return Exit.OK


def _author(revision: Revision) -> str:
    return revision.author or revision.author_id or ""


def _remark(revision: Revision) -> str:
    return f"as revision {revision.restored_from} was" if revision.restored_from else ""
