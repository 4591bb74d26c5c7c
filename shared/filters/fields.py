"""The fields of runs, jobs and entries of the audit: what each may be compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from shared.filters.terms import Kind, Op
from shared.models.audit import AuditOutcome
from shared.models.job import IntervalType
from shared.models.run import RunCause
from shared.models.sentinel import SentinelKind
from shared.states import RunState

Sort = Literal["text", "choice", "flag", "number", "span", "moment"]

Fields = Mapping[str, "Field"]
"""By name."""

EQUALITY: tuple[Op, ...] = (":",)
TEXT: tuple[Op, ...] = (":", ":~")
ORDER: tuple[Op, ...] = ("<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Field:
    """`ahead`: a moment that lies in the future; its distance from now counts forward."""

    name: str
    sort: Sort
    choices: tuple[str, ...] = ()
    ahead: bool = False

    @property
    def may_be_absent(self) -> bool:
        """`none` asks for its absence; where a choice is called so, it is that choice."""
        return self.sort not in {"choice", "flag"} and "none" not in self.choices

    @property
    def ops(self) -> tuple[Op, ...]:
        match self.sort:
            case "text":
                return TEXT
            case "choice" | "flag":
                return EQUALITY
            case "span":
                return (*ORDER, ":")
            case _:
                return (":", *ORDER)


STATE_GROUPS = ("active", "finished", "cancelling")

_RUN = (
    Field("state", "choice", (*map(str, RunState), *STATE_GROUPS)),
    Field("type", "text"),
    Field("name", "text"),
    Field("job", "text"),
    Field("tag", "text"),
    Field("dur", "span"),
    Field("started", "moment"),
    Field("created", "moment"),
    Field("finished", "moment"),
    Field("attempt", "number"),
    Field("cause", "choice", get_args(RunCause)),
    Field("error", "text"),
    Field("id", "text"),
    Field("owner", "text"),
    Field("progress", "number"),
    Field("revision", "number"),
    Field("worker", "text"),
    Field("key", "text"),
)

_JOB = (
    Field("name", "text"),
    Field("slug", "text"),
    Field("type", "text"),
    Field("tag", "text"),
    Field("enabled", "flag"),
    Field("paused", "flag"),
    Field("owner", "text"),
    Field("next", "moment", ahead=True),
    Field("schedule", "text", get_args(IntervalType)),
    Field("sentinel", "text", get_args(SentinelKind)),
    Field("created", "moment"),
    Field("updated", "moment"),
    Field("id", "text"),
    Field("revision", "number"),
)

_AUDIT = (
    Field("user", "text"),
    Field("act", "text"),
    Field("subject", "text"),
    Field("outcome", "choice", get_args(AuditOutcome)),
    Field("at", "moment"),
    Field("via", "text"),
    Field("address", "text"),
    Field("client", "text"),
    Field("token", "text"),
    Field("reason", "text"),
    Field("revision", "number"),
    Field("count", "number"),
)

FIELDS: Mapping[Kind, Fields] = {
    "run": {field.name: field for field in _RUN},
    "job": {field.name: field for field in _JOB},
    "audit": {field.name: field for field in _AUDIT},
}
