"""`command`, as the agent knows it."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.command.parameters import CommandParameters, Secret

_HELP = """\
Runs a program. `command` is a list of program and arguments, or one string for `/bin/sh -c`.
It completes when the program exits with one of `success_exit_codes`; whatever it left running is ended then.
Its output becomes the run's log, line by line; a line `::progress 3/10 note` sets the progress instead.
Cancel sends TERM to every process that it started, and KILL after the grace.
The environment has JOBDECK_RUN, JOBDECK_ATTEMPT and JOBDECK_JOB, and what `env` adds: texts, or {"secret": "name"}."""


def _needs(parameters: CommandParameters) -> Needs:
    return Needs(secrets=tuple(value.secret for value in parameters.env.values() if isinstance(value, Secret)))


MANIFEST = Manifest(
    type="command",
    title="Command",
    help=_HELP,
    parameters=CommandParameters,
    entry="agent.drivers.command.run:run",
    runs_programs=True,
    repeat_safe=False,
    needs=_needs,
    template={"command": ["/usr/bin/env", "echo", "hello"], "cwd": "/", "env": {}, "success_exit_codes": [0]},
)
