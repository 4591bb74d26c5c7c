"""Server-sent events as bytes."""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.models import Event, LogPage
from shared.models.base import Resource

_events: TypeAdapter[Event] = TypeAdapter(Event)
_pages: TypeAdapter[LogPage] = TypeAdapter(LogPage)
_resets: TypeAdapter[Reset]


class Reset(Resource):
    """The listener missed something: read everything anew, then go on from `last_event_id`."""

    last_event_id: int
    reason: str


_resets = TypeAdapter(Reset)

RETRY = b"retry: 1000\n\n"
"""The first words of a stream: how many milliseconds a listener waits before it connects again."""


def event_frame(event: Event) -> bytes:
    """One that is not stored has no number, and moves no position."""
    number = b"id: %d\n" % event.id if event.id else b""
    return b"%bevent: %b\ndata: %b\n\n" % (number, event.kind.encode(), _events.dump_json(event, by_alias=True))


def reset_frame(last_event_id: int, reason: str) -> bytes:
    data = _resets.dump_json(Reset(last_event_id=last_event_id, reason=reason), by_alias=True)
    return b"id: %d\nevent: reset\ndata: %b\n\n" % (last_event_id, data)


def lines_frame(page: LogPage) -> bytes:
    """Its id is the number of the last line: following goes on after it."""
    last = page.lines[-1].number if page.lines else 0
    return b"id: %d\nevent: lines\ndata: %b\n\n" % (last, _pages.dump_json(page, by_alias=True))


END = b"event: end\ndata: {}\n\n"
