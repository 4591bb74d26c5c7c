"""Exit codes of `jobdeck`: scripts rely on them, so they only ever gain numbers.

| code | meaning |
|---|---|
| 0 | done; a watched run completed |
| 1 | failed: a watched run failed, or Jobdeck itself did |
| 2 | wrong usage or wrong input; the message names the field |
| 3 | there is none of that name |
| 4 | refused: not known who is calling, or not allowed |
| 5 | the agent does not answer, or a part that it needs does not |
| 6 | conflict: the state of things does not allow it, or somebody changed it meanwhile |
| 7 | too many: a limit is reached, later is better |
| 8 | a watched run was cancelled |
| 9 | the wait is over and the run still goes on |
| 130 | interrupted from the keyboard |
| 141 | nobody reads the output any more |
"""

from __future__ import annotations

from enum import IntEnum

from shared.errors import (
    Conflict,
    Forbidden,
    IllegalMove,
    InvalidInput,
    JobdeckError,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAVAILABLE = 5
    CONFLICT = 6
    TOO_MANY = 7
    CANCELLED = 8
    UNFINISHED = 9
    INTERRUPTED = 130
    BROKEN_PIPE = 141


_BY_ERROR: tuple[tuple[type[JobdeckError], Exit], ...] = (
    (InvalidInput, Exit.USAGE),
    (NotFound, Exit.NOT_FOUND),
    (Unauthenticated, Exit.REFUSED),
    (Forbidden, Exit.REFUSED),
    (Unavailable, Exit.UNAVAILABLE),
    (Conflict, Exit.CONFLICT),
    (IllegalMove, Exit.CONFLICT),
    (TooMany, Exit.TOO_MANY),
)


def exit_for(error: JobdeckError) -> Exit:
    """The code that says which kind of refusal it was; FAILED for kinds that have no code of their own."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.FAILED)
