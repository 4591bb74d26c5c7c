"""The form of one action: what its type takes, when it runs, what becomes of a failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from console.screens.create.fields import Field, Option
from console.screens.create.schema import fields_of

if TYPE_CHECKING:
    from console.client.answers import DriverInfo

NAME, CONDITION, ON_ERROR, ATTACH = "name", "condition", "on_error", "attachments"
_FIRST = ("webhook", "email", "dataset", "command")


def action_fields(driver: DriverInfo, before: Sequence[Mapping[str, Any]]) -> list[Field]:
    """`before`: the actions in front of it, of which its condition may speak."""
    of_type = fields_of(driver)[1:]
    needed = [field for field in of_type if field.is_required]
    return [
        *needed,
        *(field for field in of_type if field not in needed and field.key in _USUAL),
        Field(CONDITION, "Only if", "empty: always; or pick one and change it", options=_conditions(before)),
        Field(
            ON_ERROR, "If it fails", "what becomes of the run",
            options=(Option("stop", "the run fails"), Option("continue", "the run goes on, with a warning")),
            hint="stop", is_closed=True,
        ),
        *([_attach(before)] if driver.takes_attachments else []),
        Field(NAME, "Name", "in steps, log lines and errors; conditions behind it ask for it", hint=driver.type),
        *(field for field in of_type if field not in needed and field.key not in _USUAL),
    ]  # fmt: skip


_USUAL = frozenset(
    f"data.{name}" for name in ("to", "subject", "text", "json", "operation", "dataset", "knowledge_base")
)
"""What one writes nearly always stands before what one seldom does."""


def in_order(drivers: Sequence[DriverInfo]) -> list[DriverInfo]:
    """What is made to follow something first; every job type can."""
    return sorted(
        drivers,
        key=lambda each: (
            _FIRST.index(each.type) if each.type in _FIRST else len(_FIRST),
            not each.action_only,
            each.type,
        ),
    )


def label(action: Mapping[str, Any]) -> str:
    return str(action.get("name") or action.get("type") or "action")


def _attach(before: Sequence[Mapping[str, Any]]) -> Field:
    """A dataset of the job can be typed, for they are many; what an action brought is offered."""
    named = [str(each.get("name") or each.get("id")) for each in before]
    options = (
        Option("log", "the last 200 lines of the run's log"),
        Option("result", "what the job brought, as JSON"),
        *(Option(f"result:{name}", "what that action brought") for name in named if "," not in name),
        Option("dataset:", "and the alias of a dataset of the job: its latest snapshot as CSV"),
    )
    about = "log, log:500, result, result:ACTION, dataset:ALIAS"
    return Field(ATTACH, "Attach", about, "list", "attachments", options)


def _conditions(before: Sequence[Mapping[str, Any]]) -> tuple[Option, ...]:
    """Of the job's own work and of the nearest action before it."""
    found = [
        Option('get("main", "rows_synced", 0) > 0', "something came in"),
        Option('get("main", "errors", 0) > 0', "there were errors"),
    ]
    if before:
        last = before[-1].get("name") or before[-1].get("id")
        named = [Option(f'ok("{last}")', "it went well"), Option(f'failed("{last}")', "it failed")]
        found = [*named, Option("any_failed()", "one of those before failed"), *found]
    return tuple(found)
