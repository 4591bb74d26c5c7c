"""An entry of the audit as a row of the list, and in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.look import Look
from console.render.spans import clock_time
from console.widgets.line import safe_text
from console.widgets.table import Column
from shared.states import RunState

if TYPE_CHECKING:
    from shared.models.audit import AuditEntry

COLUMNS = (
    Column("outcome", "O", 3),
    Column("at", "When", 11),
    Column("who", "Who", 10, flex=1),
    Column("did", "Did", 16, flex=2),
    Column("subject", "With", 18, flex=3),
    Column("revision", "Rev", 4, priority=2, align="right"),
    Column("address", "From", 9, flex=1, priority=1),
    Column("client", "Client", 14, flex=1, priority=4),
    Column("why", "Why", 20, flex=3, priority=3),
)
TIMED = ("at",)
SORTS = (("at", True),)
_KEY = 11


def entry_cells(entry: AuditEntry, now: datetime, look: Look, *, is_dimmed: bool) -> Sequence[Text]:
    muted = look.palette.muted
    cells = (
        outcome_mark(entry, look),
        Text(clock_time(entry.last_at, now), muted),
        safe_text(entry.handle or entry.user_id),
        safe_text(entry.act),
        safe_text(entry.subject_name or entry.subject_id, "bold" if entry.subject_name else ""),
        Text(str(entry.revision or ""), muted),
        safe_text(entry.address or entry.via, muted),
        safe_text(entry.client or "", muted),
        safe_text(_why(entry), look.palette.bad),
    )
    for cell in cells if is_dimmed else ():
        cell.stylize("dim")
    return cells


def outcome_mark(entry: AuditEntry, look: Look) -> Text:
    """Glyph and letter: done or refused."""
    if entry.outcome == "refused":
        return Text(f"{look.glyphs.states[RunState.FAILED]} R", look.palette.bad)
    return Text(f"{look.glyphs.states[RunState.COMPLETED]} D", look.palette.good)


def describe_entry(entry: AuditEntry, look: Look, *, wide: bool) -> list[Text]:
    """Two lines where there is no room for more: what it says, and from where."""
    if wide:
        return entry_lines(entry, look)
    what = f"{entry.act} {entry.subject_name or entry.subject_id}".strip()
    lead = safe_text(f"{what}: {_why(entry)}", look.palette.bad) if _why(entry) else safe_text(what)
    facts = [entry.event or "", entry.subject_id, entry.address or "", f"by {entry.via}", entry.client or ""]
    return [lead, safe_text(" · ".join(fact for fact in facts if fact), look.palette.muted)]


def entry_lines(entry: AuditEntry, look: Look) -> list[Text]:
    """All that is recorded of it."""
    title = safe_text(f"{entry.act} {entry.subject_name or ''}".strip(), "bold")
    word = "refused" if entry.outcome == "refused" else "done"
    lines = [title, outcome_mark(entry, look).append(f"  {word}"), Text()]
    if entry.reason:
        lines += [safe_text(entry.reason, look.palette.bad), Text()]
    return lines + [_pair(key, value, look) for key, value in _facts(entry) if value]


def _facts(entry: AuditEntry) -> Sequence[tuple[str, str]]:
    repeated = entry.count > 1
    return (
        ("who", f"{entry.handle} ({entry.user_id})" if entry.handle else entry.user_id),
        ("when", _moment(entry.at)),
        ("times", f"{entry.count:,}, the last at {_moment(entry.last_at)}" if repeated else ""),
        ("from", entry.address or "this machine"),
        ("by", entry.via),
        ("token", entry.token_id or ""),
        ("client", entry.client or ""),
        ("operation", entry.act),
        ("event", entry.event or ""),
        ("subject", entry.subject_id),
        ("named", entry.subject_name or ""),
        ("revision", str(entry.revision or "")),
        ("account", entry.account_id),
        ("number", f"#{entry.number}"),
    )


def _why(entry: AuditEntry) -> str:
    times = f"{entry.count:,} times" if entry.count > 1 else ""
    return ", ".join(part for part in (entry.reason or "", times) if part)


def _moment(moment: datetime) -> str:
    """To the second, with its zone: it may be compared with another machine's log."""
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"


def _pair(key: str, value: str, look: Look) -> Text:
    return Text(f"{key:<{_KEY - 1}} ", look.palette.muted).append_text(safe_text(value))
