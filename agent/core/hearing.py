"""What duties listen for among the store's events."""

from __future__ import annotations

from shared.models import Event
from shared.states import RunState


def asks_to_cancel(event: Event) -> bool:
    """A running run bears the mark that somebody wants it to end."""
    if event.kind != "run.changed" or not event.data.get("cancelRequestedAt"):
        return False
    return bool(event.data["state"] == RunState.RUNNING)
