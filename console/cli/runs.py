"""`jobdeck run …`."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.acting import act_on_runs
from console.cli.calling import call, find_run
from console.cli.log_search import Grep, print_found
from console.cli.logs import print_log
from console.cli.options import Json, RunKey, Where, Yes
from console.cli.output import Column, say, say_facts, say_json, say_table
from console.cli.watching import watch_started
from console.cli.wording import done, state_of, took, when
from console.client import AgentClient
from console.render.causes import cause_text
from shared.clock import SystemClock
from shared.exits import Exit
from shared.models import Run, Step

runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Runs: what was done, is done, waits to be done.")

RunIds = Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help="Numbers (4 7) or ids of runs.")]


@runs.command("list")
def list_runs(
    *,
    where: Where = None,
    job: Annotated[
        str | None, typer.Option("--job", "-j", metavar="JOB", help="Only runs of this job (id or slug).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 30,
    as_json: Json = False,
) -> int:
    """List runs, newest first.

    Example: jobdeck run list --filter 'state:failed started<2h'
    """

    async def load(client: AgentClient) -> list[Run]:
        job_id = (await client.jobs.get(job)).id if job else None
        return [run async for run in client.runs.every(where=where, job_id=job_id, at_most=limit)]

    found = call(load)
    if as_json:
        say_json(found)
    else:
        _say_runs(found)
    return Exit.OK


@runs.command("show")
def show_run(run: RunKey, *, as_json: Json = False) -> int:
    """Show one run: state, steps, error, result."""

    async def load(client: AgentClient) -> tuple[Run, list[Step]]:
        found = await find_run(client, run)
        return found, await client.runs.steps(found.id)

    found, steps = call(load)
    if as_json:
        say_json(found)
    else:
        _say_run(found, steps)
    return Exit.OK


@runs.command("logs")
def show_log(
    run: RunKey,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-F", help="Go on until the run ends.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", min=0, help="Only the last so many lines.")] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", "-g", help="Only lines with this text, in any letter case.")
    ] = None,
    match_case: Annotated[bool, typer.Option("--match-case", help="With --grep: in this letter case.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Only errors.")] = False,
    times: Annotated[bool, typer.Option("--times", "-t", help="With the moment of each line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> int:
    """Print a run's log.

    Example: jobdeck run logs backup --tail 50 --follow; jobdeck run logs backup --grep "connection refused"
    """

    async def show(client: AgentClient) -> None:
        wanted = Grep.of(grep, errors=errors, match_case=match_case, follow=follow)
        if wanted is None:
            await print_log(client, run, follow=follow, tail=tail, times=times, as_json=as_json)
        else:
            await print_found(client, run, wanted, tail=tail, times=times, as_json=as_json)

    call(show)
    return Exit.OK


@runs.command("watch")
def watch_run(
    run: RunKey,
    *,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to wait at most (exit code 9).")] = None,
    logs: Annotated[bool, typer.Option("--logs", help="Print its log instead of its progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each change.")] = False,
) -> int:
    """Watch one run to its end. Exit code: 0 completed, 1 failed, 8 cancelled, 9 still going on."""
    found = call(lambda client: find_run(client, run))
    return watch_started(found, timeout=timeout, logs=logs, as_json=as_json)


@runs.command("cancel")
def cancel_runs(run: RunIds = None, *, where: Where = None, yes: Yes = False, as_json: Json = False) -> int:
    """Cancel runs. Pending ones end at once, running ones with everything they started.

    Example: jobdeck run cancel --filter 'state:pending job:orders-index'
    """
    return act_on_runs("cancel", run or [], where, yes=yes, as_json=as_json)


@runs.command("rerun")
def rerun_runs(
    run: RunIds = None,
    *,
    where: Where = None,
    own_revision: Annotated[
        bool,
        typer.Option(
            "--own-revision",
            help="As the run itself was defined, and not as its job is now; where the two differ, for editors of the job.",
        ),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Run finished runs again, as their jobs are now.

    Example: jobdeck run rerun --filter 'state:failed "connection refused"'
    """
    return act_on_runs("rerun", run or [], where, yes=yes, as_json=as_json, own_revision=own_revision)


def _say_runs(found: list[Run]) -> None:
    now = SystemClock().now()
    columns = [
        Column("RUN"), Column("STATE", coloured=True), Column("JOB", flexible=True), Column("CREATED"), Column("TOOK"),
        Column("", flexible=True),
    ]  # fmt: skip
    rows = [
        (f"#{run.number}", state_of(run), run.job_name, when(run.created_at, now), took(run, now), _remark(run))
        for run in found
    ]
    say_table(columns, rows)


def _remark(run: Run) -> str:
    if run.error is not None:
        return run.error.message
    if run.cancel_due_at is not None:
        return f"cancelled {when(run.cancel_due_at, SystemClock().now())}"
    return run.waiting_for or done(run)


def _say_run(run: Run, steps: list[Step]) -> None:
    now = SystemClock().now()
    say_facts(
        [
            ("run", f"#{run.number}"),
            ("id", run.id),
            ("job", run.job_name),
            ("state", state_of(run)),
            ("type", run.type),
            ("cause", cause_text(run.cause)),
            ("fire", f"{run.fire_at:%Y-%m-%d %H:%M:%S}Z" if run.fire_at else ""),
            ("created", when(run.created_at, now)),
            ("took", took(run, now)),
            ("waiting for", run.waiting_for or ""),
            ("cancelled", when(run.cancel_due_at, now)),
            ("progress", done(run)),
            ("attempt", f"{run.attempt} of {run.max_attempts}" if run.attempt else ""),
            ("revision", str(run.revision)),
            ("rerun of", run.original_run_id or ""),
            ("error", f"{run.error.kind}: {run.error.message}" if run.error else ""),
            *(("warning", text) for text in run.warnings),
        ]
    )
    if steps:
        say()
        _say_steps(steps)
    if run.result:
        say()
        say_json(run.result)


def _say_steps(steps: list[Step]) -> None:
    """By attempt where there are several; a step within an action stands below it, its key names both."""
    ordered = sorted(steps, key=lambda step: (step.attempt, step.position))
    several = ordered[0].attempt != ordered[-1].attempt
    columns = [Column("STEP", flexible=True), Column("STATE", coloured=True), Column("MESSAGE", flexible=True)]
    say_table([Column("ATTEMPT"), *columns] if several else columns, [_step_row(step, several) for step in ordered])


def _step_row(step: Step, several: bool) -> tuple[str, ...]:
    name = f"{'  ' if '/' in step.key else ''}{step.title or step.key}"
    row = (name, step.state, step.message)
    return (str(step.attempt), *row) if several else row
