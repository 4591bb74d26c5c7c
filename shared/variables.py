"""The environment's `JOBDECK_…` variables: which there are, and what a misspelt one was meant to be.

A variable that is nearly one of them is refused, as a wrong name in a file is: what was meant must not be passed over.
Others may be somebody else's (a container has `JOBDECK_VERSION`, a cluster `JOBDECK_SERVICE_HOST`) and stop nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.errors import Fault, InvalidInput

PREFIX = "JOBDECK_"
OF_COMMANDS = frozenset(
    {"JOBDECK_AGENT", "JOBDECK_TOKEN", "JOBDECK_TOKEN_FILE", "JOBDECK_CONTEXT", "JOBDECK_CONSOLE_CONFIG"}
    | {"JOBDECK_DATA_DIR", "JOBDECK_TRACEBACK"}
)
OF_RUNS = frozenset({"JOBDECK_RUN", "JOBDECK_ATTEMPT", "JOBDECK_JOB", "JOBDECK_WORKER_OF"})
"""What a run's processes get."""

_NEARLY, _SIMILAR = 0.8, 0.6
"""Shares of common letters, as difflib counts: of a slip of the pen, and of what is worth a hint."""


def refuse_misspelt(environment: Mapping[str, str], known: Iterable[str] = OF_COMMANDS) -> None:
    """InvalidInput names each variable that is nearly one of the known ones, and the one that was meant."""
    known = frozenset(known)
    unknown = unknown_variables(environment, known)
    meant = {name: near for name in unknown if (near := meant_by(name, known, _NEARLY)) is not None}
    if meant:
        raise InvalidInput([Fault(name, f"is no setting; did you mean {near}?") for name, near in meant.items()])


def unknown_variables(environment: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """Those that nothing reads, sorted. `known` beside what commands and runs have."""
    known = {*known, *OF_COMMANDS, *OF_RUNS}
    return sorted(name for name in environment if name.startswith(PREFIX) and name.upper() not in known)


def meant_by(name: str, known: Iterable[str], at_least: float = _SIMILAR) -> str | None:
    """The known variable that is most like `name`."""
    from difflib import get_close_matches  # only where one is wrong

    bare = {each.removeprefix(PREFIX): each for each in known}
    near = get_close_matches(name.removeprefix(PREFIX), sorted(bare), n=1, cutoff=at_least)
    return bare[near[0]] if near else None
