"""The parts of a definition that have ids of their own: actions, and what is attached to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from shared.errors import Fault, InvalidInput
from shared.ids import NewId
from shared.models import Action, Attachment, JobInput

D = TypeVar("D", bound=JobInput)
P = TypeVar("P", Action, Attachment)


def with_ids(definition: D, new_id: NewId, before: JobInput | None = None) -> D:
    """The definition with an id in each action and attachment. One that has none takes that of what stood in its place
    `before`, if that was of its type and name: who replaces a definition need not know ids for them to stay.

    InvalidInput where an id is used twice."""
    if not definition.actions:
        return definition
    _check_single(definition)
    old = before.actions if before is not None else []
    actions = _identified(definition.actions, old, new_id)
    attached = {action.id: action.attachments for action in old}
    actions = [_with_attachment_ids(action, attached.get(action.id, []), new_id) for action in actions]
    return definition.model_copy(update={"actions": actions})


def _with_attachment_ids(action: Action, old: Sequence[Attachment], new_id: NewId) -> Action:
    attachments = _identified(action.attachments, old, new_id)
    return action.model_copy(update={"attachments": attachments})


def _identified(parts: Sequence[P], old: Sequence[P], new_id: NewId) -> list[P]:
    used = {part.id for part in parts}
    found: list[P] = []
    for place, part in enumerate(parts):
        kept = _kept(part, old[place]) if place < len(old) else None
        id_ = part.id or (kept if kept not in used else None) or new_id()
        used.add(id_)
        found.append(part.model_copy(update={"id": id_}))
    return found


def _kept(part: P, old: P) -> str | None:
    return old.id if (old.type, old.name) == (part.type, part.name) else None


def _check_single(definition: JobInput) -> None:
    seen = set[str]()
    faults = list[Fault]()
    for place, id_ in _ids(definition):
        if id_ in seen:
            faults.append(Fault(place, "is the id of another part already; leave it out for a new one", id_))
        seen.add(id_)
    if faults:
        raise InvalidInput(faults)


def _ids(definition: JobInput) -> Iterator[tuple[str, str]]:
    for index, action in enumerate(definition.actions):
        if action.id is not None:
            yield f"actions.{index}.id", action.id
        for place, attachment in enumerate(action.attachments):
            if attachment.id is not None:
                yield f"actions.{index}.attachments.{place}.id", attachment.id
