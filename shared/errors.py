"""Everything that Jobdeck refuses, as one tree.

JobdeckError
├── InvalidInput        a value is wrong; names field, value and what would be right
├── Unauthenticated     who is calling is not known
│   └── CredentialsExpired  it was, until what it calls with ended
├── Forbidden           the caller may see it, but not do it
├── NotFound            there is none, or the caller may not know that there is
├── Conflict            the state of things does not allow it
│   ├── StaleVersion    somebody changed it meanwhile
│   ├── Drifted         so did somebody, and these fields differ
│   └── Unreadable      what is stored cannot be read by this Jobdeck
├── TooMany             a limit is reached; `retry_after` in seconds where waiting helps
│   └── LimitReached    the account has as much as it may; what it has must become less
├── Unavailable         a part that is needed does not answer now
└── IllegalMove         a run was to make a move that the table of moves does not have
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value: `field` is a dotted path, `message` says what would be right."""

    field: str
    message: str
    value: object = None
    code: str = "invalid"
    withheld: bool = False
    """It names what is there, and not the caller's to know of, or to use so: the record says it, whatever is answered."""


class JobdeckError(Exception):
    """Base of all refusals; `str()` is a sentence that an operator can act on."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(JobdeckError):
    code = "invalid_input"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)

    @classmethod
    def one(cls, field: str, message: str, value: object = None, code: str = "invalid") -> InvalidInput:
        return cls([Fault(field, message, value, code)])


class Unauthenticated(JobdeckError):
    code = "unauthenticated"


class CredentialsExpired(Unauthenticated):
    pass


class Forbidden(JobdeckError):
    code = "forbidden"


class NotFound(JobdeckError):
    code = "not_found"


class Conflict(JobdeckError):
    code = "conflict"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class StaleVersion(Conflict):
    code = "stale_version"


class Drifted(Conflict):
    """What an edit was made from is not what is there now; `faults` name the fields, with the values there are."""

    code = "drifted"

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class Unreadable(Conflict):
    code = "unreadable"


class TooMany(JobdeckError):
    code = "too_many"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LimitReached(TooMany):
    """`limit`: which one, by its name in the account's limits."""

    code = "limit_reached"

    def __init__(self, message: str, limit: str = "", most: int = 0) -> None:
        super().__init__(message)
        self.limit = limit
        self.most = most

    @classmethod
    def of(cls, account_id: str, limit: str, most: int, used: int) -> LimitReached:
        words = limit.replace("_", " ")
        message = (
            f"the account '{account_id}' has {used} {words} and may have {most}: free a place, or have the limit raised"
        )
        return cls(message, limit, most)


class Unavailable(JobdeckError):
    code = "unavailable"


class IllegalMove(JobdeckError):
    code = "illegal_move"
