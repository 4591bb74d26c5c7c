"""The body and headers of `POST /v1/list-jobs`, read field by field; every fault is found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.api.contracts.job_listing_words import LARGEST_PAGE, MOST_CORPORA, PAGE, SMALLEST_PAGE, STATES
from agent.core.running.listing import Wanted
from shared.errors import Fault, InvalidInput
from shared.states import RunState

LONGEST_AGO = timedelta(days=180)
_LENIENCE = timedelta(minutes=5)
_DEFAULT_STATES = (RunState.PENDING, RunState.RUNNING)
_PREFIX = "JOB_STATE__"
_STATES: Mapping[str, RunState | None] = {name: state for state, (name, _) in STATES.items()} | {
    f"{_PREFIX}UNKNOWN": None
}
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_TIMEOUT = re.compile(r"([0-9]{1,4})[Ss]")
_TIMEOUTS = (1, 300)
_FIRST, _LAST = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_timeout(header: str | None) -> float:
    """Seconds; InvalidInput on `timeout`."""
    match = _TIMEOUT.fullmatch((header or "30S").strip())
    if match is None or not _TIMEOUTS[0] <= int(match[1]) <= _TIMEOUTS[1]:
        raise InvalidInput.one("timeout", "write whole seconds from 1S to 300S, as in 30S", header)
    return float(match[1])


def page_key_of(body: Any) -> str | None:
    """With one, all other fields are ignored."""
    if not isinstance(body, dict):
        raise InvalidInput.one("body", "must be a JSON object", None)
    key = body.get("pageKey")
    if key is not None and not isinstance(key, str):
        raise InvalidInput.one("pageKey", "must be a string", key)
    return key or None


def read_body_fields(body: Mapping[str, Any], now: datetime) -> Wanted:
    """What is wanted, with the document's defaults; InvalidInput tells all faults. Null is as if it were not there."""
    faults: list[Fault] = []

    def read(name: str, reader: Callable[[Any], Any], default: Any) -> Any:
        value = body.get(name)
        try:
            return default if value is None else reader(value)
        except ValueError as error:
            faults.append(Fault(name, str(error), value))
            return default

    wanted = Wanted(
        run_id=read("jobId", _text, None) or None,
        base_numbers=read("corpusId", _corpora, None) or None,
        since=read("epochSecs", lambda value: _since(value, now), now - LONGEST_AGO),
        states=_DEFAULT_STATES if body.get("state") == [] else read("state", _states, _DEFAULT_STATES),
        limit=read("numResults", _page_size, PAGE),
    )
    if faults:
        raise InvalidInput(faults)
    return wanted


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _integer(value: Any) -> int:
    """An int64, as a number or as a string."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _FIRST <= value <= _LAST:
        raise ValueError("must be a whole number of 64 bits, as a number or as a string")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("must be an array")
    return value


def _corpora(value: Any) -> tuple[int, ...]:
    found = tuple(dict.fromkeys(_integer(each) for each in _list(value)))
    if len(found) > MOST_CORPORA:
        raise ValueError(f"must have at most {MOST_CORPORA} ids")
    return found


def _states(value: Any) -> tuple[RunState, ...]:
    found = []
    for each in _list(value):
        name = each if isinstance(each, str) and each.startswith(_PREFIX) else f"{_PREFIX}{each}"
        if not isinstance(each, str) or name not in _STATES:
            known = ", ".join(known.removeprefix(_PREFIX) for known in _STATES)
            raise ValueError(f"must name states of {known}, with or without {_PREFIX} before them")
        found.append(_STATES[name])
    return tuple(dict.fromkeys(state for state in found if state is not None))


def _since(value: Any, now: datetime) -> datetime:
    seconds = _integer(value)
    earliest = int((now - LONGEST_AGO - _LENIENCE).timestamp())
    if seconds < earliest:
        raise ValueError(f"must be at most {LONGEST_AGO.days} days ago: {earliest} or later")
    return _EPOCH + timedelta(seconds=min(seconds, 253_402_300_799))


def _page_size(value: Any) -> int:
    size = _integer(value)
    if not SMALLEST_PAGE <= size <= LARGEST_PAGE:
        raise ValueError(f"must be from {SMALLEST_PAGE} to {LARGEST_PAGE}")
    return size
