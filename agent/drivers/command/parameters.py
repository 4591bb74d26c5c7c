"""Parameters of `command`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ExitCode = Annotated[int, Field(ge=0, le=255)]


class Secret(BaseModel):
    """The value of a secret of the account, by its name."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[str, Field(min_length=1)]


class Limits(BaseModel):
    """Limits that the system keeps for each process of the run."""

    model_config = ConfigDict(extra="forbid")

    memory_mb: Annotated[int, Field(ge=1)] | None = None
    """Address space, in MiB."""
    open_files: Annotated[int, Field(ge=3)] | None = None
    cpu_seconds: Annotated[int, Field(ge=1)] | None = None


class CommandParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    command: str | Annotated[list[str], Field(min_length=1)]
    """Program and arguments, or a line for `/bin/sh -c`."""
    cwd: str | None = None
    """The folder it starts in; the home folder of the agent's user if not given."""
    env: dict[Variable, str | Secret] = {}
    """Added to the environment of the agent."""
    stdin: str = ""
    success_exit_codes: list[ExitCode] = [0]
    transient_exit_codes: list[ExitCode] = [75]
    """Failures worth a retry; 75 is EX_TEMPFAIL of sysexits.h."""
    output_limit_mb: Annotated[int, Field(ge=1)] = 2048
    """MiB of output that go to the log; what comes after is counted, not kept."""
    umask: Annotated[str, Field(pattern=r"^0?[0-7]{3}$")] | None = None
    """Octal, as in 022."""
    limits: Limits = Limits()

    @field_validator("command")
    @classmethod
    def _says_something(cls, value: str | list[str]) -> str | list[str]:
        program = value if isinstance(value, str) else value[0]
        if not program.strip():
            raise ValueError("the program is empty; write a command line, or a list of program and arguments")
        if any("\0" in part for part in value):
            raise ValueError("a command cannot contain the character NUL")
        return value

    @field_validator("env")
    @classmethod
    def _leaves_marks_alone(cls, value: dict[str, str | Secret]) -> dict[str, str | Secret]:
        taken = [name for name in value if name in ("JOBDECK_RUN", "JOBDECK_WORKER_OF")]
        if taken:
            raise ValueError(f"{taken[0]} marks the processes of a run; take another name")
        return value
