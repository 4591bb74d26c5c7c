"""`jobdeck backup`, `jobdeck restore`, `jobdeck doctor`: they work on the folder itself, with or without an agent.

Each loads what it needs when it is called, so that its help, and that of `jobdeck agent`, is there at once.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from shared.clock import SystemClock
from shared.places import data_dir
from shared.sizes import show_size

if TYPE_CHECKING:
    from agent.upkeep.doctor import Report
    from agent.upkeep.manifest import Manifest

Folder = Annotated[Path | None, typer.Option("--data-dir", help="The agent's folder (also JOBDECK_DATA_DIR).")]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR|FILE.tar", help="A new folder, or a new tar file.")],
    folder: Folder = None,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Also the key of the secrets: whoever has the backup then has them all.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Copy store, knowledge bases, logs and settings, while the agent works.

    Without --with-key the secrets in it stay closed: keep a copy of the key elsewhere.
    """
    from agent.upkeep.backup import back_up

    _leave_tidily()
    target = target.expanduser().absolute()
    manifest = back_up(_home(folder), target, SystemClock(), with_key=with_key)
    if as_json:
        return _say_json({"backup": str(target), **_told(manifest)})
    _say(f"{target}: {_amount(manifest)}")
    if not manifest.with_key:
        _note("without the key of the secrets: they can be read again only beside a copy of secrets.key (--with-key)")
    return 0


def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `jobdeck backup` made.")],
    folder: Folder = None,
    force: Annotated[
        bool, typer.Option("--force", help="Into a folder that is not empty: what is there is moved aside, inside it.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Put a backup back into a new folder. Nothing is changed unless all of it is sound."""
    from agent.upkeep.restore import restore as put_back

    _leave_tidily()
    home = _home(folder)
    done = put_back(backup.expanduser().absolute(), home, SystemClock(), force=force)
    if as_json:
        return _say_json(
            {"dataDir": str(home), "replaced": done.replaced and str(done.replaced), **_told(done.manifest)}
        )
    _say(f"{home}: {_amount(done.manifest)}, as of {done.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
    if done.replaced:
        _note(f"what was there before is in {done.replaced}")
    return 0


def doctor(folder: Folder = None, as_json: Json = False) -> int:
    """Look whether the agent and its data are sound; exit code 1 if something is wrong.

    It changes nothing, and works with and without a running agent.
    """
    import structlog

    from agent.upkeep.doctor import examine

    # Drivers that cannot be loaded are findings here, not lines of a log.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    report = examine(_home(folder), SystemClock())
    if as_json:
        _say_json(_report(report))
    elif report.findings:
        width = max(len(finding.check) for finding in report.findings)
        for finding in report.findings:
            _say(f"{finding.severity:<7}  {finding.check:<{width}}  {finding.sentence}")
            _say(f"{'':<7}  {'':<{width}}  → {finding.remedy}")
    else:
        _say(f"all is well: {_standing(report)}")
    return 0 if report.is_sound else 1


def _report(report: Report) -> dict[str, Any]:
    return {
        "sound": report.is_sound,
        "dataDir": str(report.data_dir),
        "agent": report.agent and asdict(report.agent),
        "bytes": report.sizes,
        "findings": [asdict(finding) for finding in report.findings],
    }


def _standing(report: Report) -> str:
    who = f"agent {report.agent.pid} since {report.agent.since}" if report.agent else "no agent runs"
    sizes = ", ".join(f"{name} {show_size(size)}" for name, size in report.sizes.items())
    return f"{report.data_dir}, {who}; {sizes}"


def _home(folder: Path | None) -> Path:
    return (folder or data_dir()).expanduser().absolute()


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "jobdeck": manifest.jobdeck,
        "madeAt": manifest.made_at.isoformat(),
        "withKey": manifest.with_key,
        "files": len(manifest.files),
        "bytes": manifest.size,
    }


def _amount(manifest: Manifest) -> str:
    files = "1 file" if len(manifest.files) == 1 else f"{len(manifest.files)} files"
    return f"{files}, {show_size(manifest.size)}"


def _leave_tidily() -> None:
    """TERM ends the command as Ctrl-C does: what was written aside is removed."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say_json(value: Any) -> int:
    _say(json.dumps(value, indent=2, ensure_ascii=False))
    return 0


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
