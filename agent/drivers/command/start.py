"""How a program is started: its arguments, environment, folder, standard input and limits."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from agent.core.driving import DriverError, RunContext
from agent.drivers.command.parameters import CommandParameters, Limits, Secret

NOT_PASSED_ON = ("JOBDECK_TOKEN",)


def start(context: RunContext, parameters: CommandParameters) -> subprocess.Popen[bytes]:
    """The running program, its output in pipes. DriverError(kind='command_not_found' | 'cwd' | 'start') says what is wrong."""
    environment = _environment(context, parameters)
    cwd = folder_for(parameters.cwd)
    arguments = _arguments(parameters, environment, cwd)
    with tempfile.TemporaryFile() as stdin:
        stdin.write(parameters.stdin.encode())
        stdin.seek(0)
        try:
            return subprocess.Popen(  # noqa: S603 (running programs is what this driver is for; the scope `code` guards it)
                arguments,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=cwd,
                start_new_session=True,
                umask=int(parameters.umask, 8) if parameters.umask else -1,
            )
        except OSError as error:
            raise DriverError("start", f"{arguments[0]!r} cannot be started: {error.strerror}") from error


def _environment(context: RunContext, parameters: CommandParameters) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    own = {
        name: context.secret(value.secret) if isinstance(value, Secret) else value
        for name, value in parameters.env.items()
    }
    about = {"JOBDECK_RUN": context.run_id, "JOBDECK_ATTEMPT": str(context.attempt), "JOBDECK_JOB": context.job_name}
    return {**inherited, **about, **own}


def folder_for(wanted: str | None) -> Path:
    """Where a program starts: where its job says, else in the home of the agent's user, else at the root, as under cron:
    who runs services need not have a home."""
    try:
        cwd = Path(wanted or "~").expanduser()
    except RuntimeError:  # nobody has that name
        cwd = Path(wanted or "/")
    if cwd.is_dir():
        return cwd
    if wanted:
        raise DriverError("cwd", f"cwd: {str(cwd)!r} is not a folder on this machine")
    return Path("/")


def _arguments(parameters: CommandParameters, environment: dict[str, str], cwd: Path) -> list[str]:
    command = parameters.command
    arguments = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
    program = arguments[0]
    found = cwd / program if "/" in program else shutil.which(program, path=environment.get("PATH"))
    if found is None or not Path(found).exists():
        raise DriverError("command_not_found", f"there is no program {program!r} on this machine")
    return _limited(arguments, parameters.limits)


def _limited(arguments: list[str], limits: Limits) -> list[str]:
    """The shell sets the limits and becomes the program: code between fork and exec is not safe beside threads."""
    wanted = [
        ("-v", limits.memory_mb and limits.memory_mb * 1024),
        ("-n", limits.open_files),
        ("-t", limits.cpu_seconds),
    ]
    script = "".join(f"ulimit {flag} {value} || exit 125; " for flag, value in wanted if value)
    return ["/bin/sh", "-c", f'{script}exec "$@"', "sh", *arguments] if script else arguments
