"""Whether a refusal was of something that is somebody else's, and what the record says of it."""

from __future__ import annotations

from collections.abc import Iterable

from agent.core.permissions.rules import Hidden
from shared.errors import Fault, Forbidden, InvalidInput, JobdeckError, NotFound, Unauthenticated
from shared.ids import is_id

WITHHELD = "it is not the caller's to use so"
FOREIGN = "it belongs to another account"


def reason_of(error: JobdeckError) -> str | None:
    """None: a refusal that says nothing of who asked, as a wrong value, or a name that nothing has."""
    if isinstance(error, Unauthenticated | Forbidden):
        return error.message
    if isinstance(error, Hidden):
        return error.why
    return next(filter(None, map(_of_fault, _faults(error))), None)


def ids_in(error: JobdeckError, named: Iterable[str]) -> list[str]:
    """Ids that the request named, in its path or where it was wrong, and that nothing here has: another account's may."""
    if not isinstance(error, NotFound | InvalidInput):
        return []
    told = [*named, *(str(fault.value).partition(".")[0] for fault in _faults(error))]
    return [each for each in told if is_id(each)]


def not_found(
    field: str, value: str, error: NotFound, code: str = "invalid", message: str | None = None
) -> InvalidInput:
    """What a value names is not there, or not for the caller; in the words of the error, unless others are given."""
    return InvalidInput([Fault(field, message or error.message, value, code, isinstance(error, Hidden))])


def _of_fault(fault: Fault) -> str | None:
    return f"{fault.field} names {fault.value}: {WITHHELD}" if fault.withheld else None


def _faults(error: JobdeckError) -> tuple[Fault, ...]:
    return error.faults if isinstance(error, InvalidInput) else ()
