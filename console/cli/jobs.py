"""`jobdeck job …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from console.cli import definitions
from console.cli.calling import call, confirm
from console.cli.editing import edit_job
from console.cli.options import JobKey, Json, Where, Yes
from console.cli.output import Column, note, say, say_facts, say_json, say_table
from console.cli.watching import watch_started
from console.cli.wording import schedule_of, standing, when
from console.client import AgentClient
from console.client.answers import Check
from shared.clock import SystemClock
from shared.definitions import definition_of, read, write
from shared.errors import Fault, InvalidInput
from shared.exits import Exit
from shared.models import Job, JobInput

jobs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Jobs: what is to be done, and when.")

_PAGE = 200
_NEVER = ", never: no moment of it lies ahead"


@jobs.command("list")
def list_jobs(
    *,
    where: Where = None,
    words: Annotated[
        str | None, typer.Option("-q", metavar="WORDS", help="Plain words in name and description.")
    ] = None,
    sort: Annotated[
        str, typer.Option(help="name, type, createdAt, updatedAt, nextRunAt, enabled; '-name' descends.")
    ] = "name",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    as_json: Json = False,
) -> int:
    """List jobs.

    Example: jobdeck job list --filter 'type:kb-sync' --sort nextRunAt
    """  # fmt: skip

    async def load(client: AgentClient) -> tuple[list[Job], int]:
        found: list[Job] = []
        while True:
            size = min(_PAGE, limit - len(found))
            page = await client.jobs.page(where=where, q=words, sort=sort, limit=size, start=len(found))
            found += page.items
            if not page.items or len(found) >= min(limit, page.total):
                return found, page.total

    found, total = call(load)
    if as_json:
        say_json(found)
        return Exit.OK
    _say_jobs(found)
    if total > len(found):
        note(f"{len(found)} of {total}; --limit shows more")
    return Exit.OK


@jobs.command("show")
def show_job(job: JobKey, *, as_json: Json = False) -> int:
    """Show one job: schedule, parameters, policies."""
    _say_job(call(lambda client: client.jobs.get(job)), as_json=as_json)
    return Exit.OK


@jobs.command("create")
def create_job(
    *,
    file: Annotated[
        str | None, typer.Option("--file", "-F", help="Definition as TOML or JSON; '-' reads standard input.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people call it; unique.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="The job type, e.g. command, kb-sync.")] = None,
    cron: Annotated[str | None, typer.Option(help="Five fields, e.g. '*/10 * * * *'.")] = None,
    every: Annotated[str | None, typer.Option(help="A span, e.g. '10 minutes'.")] = None,
    at: Annotated[str | None, typer.Option(help="Once, e.g. 2026-03-01T02:00.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of the schedule, e.g. Europe/Berlin (default UTC).")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    slug: Annotated[str | None, typer.Option(help="Short name for URLs and commands; made from the name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="A parameter of the job type, as JSON or else text; may be repeated."
        ),
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A policy, e.g. retry.attempts=3; may be repeated.")
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Create it, but do not let it fire.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it and show its next fires; store nothing.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Create a job from flags, or from a file that flags then change.

    Example: jobdeck job create --name Backup --type command --cron '0 2 * * *' --timezone Europe/Berlin --set command='["backup","--all"]'
    """  # fmt: skip
    values = _from_file(file)
    given = {
        "name": name, "type": type_, "timezone": timezone, "description": description, "slug": slug, "tags": tag,
        "enabled": False if disabled else None,
    }  # fmt: skip
    values |= {key: value for key, value in given.items() if value is not None}
    values |= _schedule(cron, every, at)
    definitions.assign(values.setdefault("data", {}), "--set", set_ or [])
    definitions.assign(values.setdefault("policies", {}), "--policy", policy or [])
    definition = definitions.check(values)
    if dry_run:
        return _say_check(definition, call(lambda client: client.jobs.check(definition)), as_json=as_json)
    created = call(lambda client: client.jobs.create(definition))
    if as_json:
        say_json(created)
    else:
        say(f"created {created.slug}: {schedule_of(created)}{_next(created)}")
    return Exit.OK


@jobs.command("edit")
def edit(
    job: JobKey,
    *,
    file: Annotated[str | None, typer.Option("--file", "-F", help="Take the new definition from here, or '-'.")] = None,
    as_json: Json = False,
) -> int:
    """Edit a job in $VISUAL or $EDITOR. What is saved is its next revision, published at once.

    Refused if somebody else changed the job meanwhile; your text is kept then.
    """
    before = call(lambda client: client.jobs.get(job))
    if file is not None:
        definition: JobInput | None = definitions.check(_from_file(file))
        assert definition is not None
        new = definition
        after = call(lambda client: client.jobs.replace(before.id, new, before.version))
    else:
        edited = edit_job(before)
        if edited is None:
            note("nothing was changed")
            return Exit.OK
        after = edited
    if as_json:
        say_json(after)
    else:
        say(f"published revision {after.revision} of {after.slug}: {schedule_of(after)}{_next(after)}")
    return Exit.OK


@jobs.command("run")
def run_job(
    job: JobKey,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Watch it to its end; the exit code tells its outcome.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="With --wait: seconds to wait at most (exit code 9).")
    ] = None,
    logs: Annotated[bool, typer.Option("--logs", help="With --wait: print its log instead of its progress.")] = False,
    as_json: Json = False,
) -> int:
    """Run a job now, whatever its schedule says.

    Example: jobdeck job run backup --wait && echo done
    """
    started = call(lambda client: client.jobs.run(job))
    if wait:
        return watch_started(started, timeout=timeout, logs=logs, as_json=as_json)
    if as_json:
        say_json(started)
    else:
        say(started.id)
    return Exit.OK


@jobs.command("pause")
def pause_job(job: JobKey, *, as_json: Json = False) -> int:
    """Let a job's fires pass by, until it is resumed."""
    paused = call(lambda client: client.jobs.pause(job))
    if as_json:
        say_json(paused)
    else:
        say(f"paused {paused.slug}")
    return Exit.OK


@jobs.command("resume")
def resume_job(job: JobKey, *, as_json: Json = False) -> int:
    """Let a paused job fire again."""
    resumed = call(lambda client: client.jobs.resume(job))
    if as_json:
        say_json(resumed)
    else:
        say(f"resumed {resumed.slug}{_next(resumed)}")
    return Exit.OK


@jobs.command("delete")
def delete_job(job: JobKey, *, yes: Yes = False, as_json: Json = False) -> int:
    """Delete a job. Its pending runs are cancelled; its ledger and its runs stay."""
    doomed = call(lambda client: client.jobs.get(job))
    confirm(f"delete the job '{doomed.name}' ({schedule_of(doomed)})?", yes=yes)
    call(lambda client: client.jobs.delete(doomed.id, doomed.version))
    if as_json:
        say_json({"deleted": doomed.id})
    else:
        say(f"deleted {doomed.slug}")
    return Exit.OK


def _from_file(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    return read("standard input", sys.stdin.read()) if file == "-" else definitions.read_file(Path(file))


def _schedule(cron: str | None, every: str | None, at: str | None) -> dict[str, str]:
    given = [(kind, text) for kind, text in (("cron", cron), ("simple", every), ("once", at)) if text is not None]
    if len(given) > 1:
        raise InvalidInput([Fault("--cron/--every/--at", "give one of them", [text for _, text in given])])
    return {"intervalType": given[0][0], "interval": given[0][1]} if given else {}


def _say_jobs(found: list[Job]) -> None:
    now = SystemClock().now()
    columns = [
        Column("JOB", flexible=True), Column("TYPE"), Column("SCHEDULE", flexible=True), Column("NEXT"),
        Column("LAST", coloured=True), Column("IS"),
    ]  # fmt: skip
    rows = [
        (job.slug, job.type, schedule_of(job), when(job.next_run_at, now), job.recent[-1] if job.recent else "", standing(job))
        for job in found
    ]  # fmt: skip
    say_table(columns, rows)


def _say_job(job: Job, *, as_json: bool) -> None:
    if as_json:
        say_json(job)
        return
    now = SystemClock().now()
    say_facts(
        [
            ("name", job.name),
            ("slug", job.slug),
            ("id", job.id),
            ("type", job.type),
            ("schedule", schedule_of(job)),
            ("next", f"{job.next_run_at:%Y-%m-%d %H:%M:%S}Z, {when(job.next_run_at, now)}" if job.next_run_at else ""),
            ("is", standing(job)),
            ("revision", str(job.revision)),
            ("version", str(job.version)),
            ("tags", ", ".join(job.tags)),
            ("description", job.description),
        ]
    )
    say()
    values = definition_of(job)
    say(write({name: values[name] for name in ("data", "policies", "actions") if name in values})[0].rstrip())


def _say_check(definition: JobInput, check: Check, *, as_json: bool) -> int:
    if as_json:
        say_json(check)
    elif not check.faults:
        is_over = definition.interval_type != "none" and not check.next_fires
        say(f"{check.schedule_text or 'no schedule'}{_NEVER if is_over else ''}")
        for moment in check.next_fires:
            say(f"  {moment:%Y-%m-%d %H:%M:%S}Z")
    if check.faults and not as_json:
        raise InvalidInput([Fault(each.field, each.message, each.value) for each in check.faults])
    return Exit.USAGE if check.faults else Exit.OK


def _next(job: Job) -> str:
    if job.next_run_at:
        return f", next {when(job.next_run_at, SystemClock().now())}"
    rests = not job.enabled or job.paused_at is not None or job.interval_type == "none"
    return "" if rests else _NEVER
