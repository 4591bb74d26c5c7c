"""What came back: how much of it is kept, and whether it is what was expected."""

from __future__ import annotations

import codecs
import contextlib
import json
import math
from dataclasses import dataclass
from email.message import Message
from typing import Any

import httpx

from agent.core.driving import DriverError
from agent.core.running.nesting import is_deeper
from agent.resources.http.parameters import Expectation
from agent.resources.http.unpacking import unpacker

KEPT = 1024 * 1024
"""Bytes of an answer that are read; the rest is left on the wire."""
EXCERPT = 4096
"""Characters of the body in the run's result."""
JSON_IN_RESULT = 16 * 1024
"""Bytes up to which a JSON answer is in the run's result as a value too."""
DEEPEST_IN_RESULT = 32
"""Levels up to which it is."""
TRANSIENT = {408, 425, 429}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    url: str
    headers: httpx.Headers
    body: bytes
    truncated: bool
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode(_charset(self.headers.get("content-type", "")), "replace")

    def result(self) -> dict[str, Any]:
        told = {
            "status": self.status,
            "url": self.url,
            "content_type": self.headers.get("content-type", ""),
            "bytes": len(self.body),
            "truncated": self.truncated,
            "seconds": round(self.seconds, 3),
            "body": self.text[:EXCERPT],
        }
        if "json" in told["content_type"] and not self.truncated and len(self.body) <= JSON_IN_RESULT:
            with contextlib.suppress(ValueError):
                value = _value(self.body)
                if not is_deeper(value, DEEPEST_IN_RESULT):
                    told["json"] = value
        return told


async def read_answer(response: httpx.Response, seconds: float) -> Answer:
    """Read at most KEPT bytes of the body. DriverError(kind='answer') if it cannot be unpacked."""
    unpack = unpacker(response.headers.get("content-encoding", ""))
    kept = bytearray()
    async for part in response.aiter_raw():
        kept += unpack(part, KEPT + 1 - len(kept))
        if len(kept) > KEPT:
            break
    return Answer(
        status=response.status_code,
        url=str(response.url),
        headers=response.headers,
        body=bytes(kept[:KEPT]),
        truncated=len(kept) > KEPT,
        seconds=seconds,
    )


def check(answer: Answer, expected: Expectation) -> None:
    """DriverError(kind='http_status' | 'answer') that says what was expected and what came."""
    if not any(_covers(wanted, answer.status) for wanted in expected.status):
        raise _status_error(answer, expected)
    for condition in expected.json_:
        found = _at(_parse(answer), condition.path)
        if found != condition.equals or isinstance(found, bool) != isinstance(condition.equals, bool):
            shown, wanted = json.dumps(found)[:200], json.dumps(condition.equals)
            raise DriverError("answer", f"expect.json: {condition.path} is {shown}, expected {wanted}")


def _status_error(answer: Answer, expected: Expectation) -> DriverError:
    wanted = ", ".join(map(str, expected.status))
    later = answer.headers.get("retry-after")
    wait = f", Retry-After: {later[:40]}" if later else ""
    said = f": {' '.join(answer.text[:200].split())}" if answer.body else ""
    transient = answer.status >= 500 or answer.status in TRANSIENT
    message = f"the answer has status {answer.status}, expected {wanted}{wait}{said}"
    return DriverError("http_status", message, transient=transient)


def _covers(wanted: int | str, status: int) -> bool:
    low, _, high = str(wanted).partition("-")
    return int(low) <= status <= int(high or low)


def _parse(answer: Answer) -> Any:
    if answer.truncated:
        raise DriverError("answer", f"the answer is longer than {KEPT} bytes, so expect.json cannot be checked")
    try:
        return _value(answer.body)
    except ValueError:
        raise DriverError("answer", "expect.json: the answer is not JSON") from None


def _value(body: bytes) -> Any:
    """ValueError for what is no JSON: NaN, numbers beyond all bounds and what is nested without end are none."""
    try:
        return json.loads(body, parse_constant=_finite, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"{written[:50]} is no number")
    return number


def _charset(content_type: str) -> str:
    """As the answer says, if there is such an encoding of texts; else UTF-8."""
    header = Message()
    header["content-type"] = content_type
    named = header.get_content_charset("utf-8")
    try:
        is_of_texts = codecs.lookup(named)._is_text_encoding
    except (LookupError, ValueError):
        return "utf-8"
    return named if is_of_texts else "utf-8"


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise DriverError("answer", f"expect.json: the answer has nothing at {path}") from None
    return value
