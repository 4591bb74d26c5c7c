"""`jobdeck definitions`: what the agent made of its definitions folder."""

from __future__ import annotations

from console.cli.calling import call
from console.cli.options import Json
from console.cli.output import Column, note, paint, say, say_json, say_table
from console.cli.wording import when
from shared.clock import SystemClock
from shared.exits import Exit
from shared.models.applying import DefinitionsReport


def show_definitions(*, as_json: Json = False) -> int:
    """Show the agent's definitions folder: files, jobs, mistakes.

    Exit code: 1 where something is wrong. Example: jobdeck definitions
    """
    report = call(lambda client: client.definitions.folder())
    if as_json:
        say_json(report)
    elif report.folder is None:
        note("the agent has no definitions folder; the setting definitions_dir names one")
    else:
        _say_report(report)
    return Exit.FAILED if report.fault or any(file.faults for file in report.files) else Exit.OK


def _say_report(report: DefinitionsReport) -> None:
    if report.fault:
        say(paint(f"! {report.fault}", "red"))
    rows = [
        (file.path, ", ".join(file.jobs), f"{len(file.faults)} wrong" if file.faults else "") for file in report.files
    ]
    if rows:
        say_table([Column("FILE", flexible=True), Column("JOBS", flexible=True), Column("IS")], rows)
    for file in report.files:
        for fault in file.faults:
            say(paint(f"! {file.path}:{fault.field}: {fault.message}", "red"))
    looked = when(report.looked_at, SystemClock().now()) if report.looked_at else "not yet"
    note(f"{report.folder}, for the account {report.account_id}, looked at {looked}")
