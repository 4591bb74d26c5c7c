"""Changes of the actions in a definition: pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import Conflict, InvalidInput, NotFound
from shared.models import Action, Attachment, JobInput

Make = Callable[[JobInput], JobInput]


def find(definition: JobInput, action_id: str) -> tuple[int, Action]:
    """Its place, and the action."""
    for place, action in enumerate(definition.actions):
        if action.id == action_id:
            return place, action
    raise NotFound(f"the job has no action {action_id!r}")


def find_attachment(action: Action, attachment_id: str) -> tuple[int, Attachment]:
    for place, attachment in enumerate(action.attachments):
        if attachment.id == attachment_id:
            return place, attachment
    raise NotFound(f"the action {action.id!r} has no attachment {attachment_id!r}")


def adding(action: Action) -> Make:
    def make(definition: JobInput) -> JobInput:
        if action.id is not None and any(known.id == action.id for known in definition.actions):
            raise Conflict(f"the job has an action {action.id!r} already", field="id")
        return _with(definition, [*definition.actions, action])

    return make


def putting(action_id: str, action: Action) -> Make:
    """In its place, under its id. Attachments that are not given stay."""

    def make(definition: JobInput) -> JobInput:
        place, before = find(definition, action_id)
        kept: dict[str, Any] = {"id": action_id}
        if "attachments" not in action.model_fields_set:
            kept["attachments"] = before.attachments
        return _replaced(definition, place, action.model_copy(update=kept))

    return make


def removing(action_id: str) -> Make:
    def make(definition: JobInput) -> JobInput:
        _, gone = find(definition, action_id)
        return _with(definition, [action for action in definition.actions if action is not gone])

    return make


def ordering(ids: Sequence[str]) -> Make:
    """The same actions in another order. InvalidInput unless each is named once."""

    def make(definition: JobInput) -> JobInput:
        known = {action.id: action for action in definition.actions}
        if sorted(ids) != sorted(key for key in known if key is not None):
            there = ", ".join(key for key in known if key) or "none"
            raise InvalidInput.one("body", f"must name each action of the job once; there are: {there}", list(ids))
        return _with(definition, [known[key] for key in ids])

    return make


def replacing(actions: Sequence[Action]) -> Make:
    def make(definition: JobInput) -> JobInput:
        return _with(definition, list(actions))

    return make


def attaching(action_id: str, attachment: Attachment) -> Make:
    def make(definition: JobInput) -> JobInput:
        place, action = find(definition, action_id)
        if attachment.id is not None and any(known.id == attachment.id for known in action.attachments):
            raise Conflict(f"the action has an attachment {attachment.id!r} already", field="id")
        return _attached(definition, place, [*action.attachments, attachment])

    return make


def putting_attachment(action_id: str, attachment_id: str, attachment: Attachment) -> Make:
    """Uploaded content stays with a file that stays one and says nothing of it."""

    def make(definition: JobInput) -> JobInput:
        place, action = find(definition, action_id)
        number, before = find_attachment(action, attachment_id)
        kept = attachment.model_copy(update={"id": attachment_id})
        if kept.type == before.type == "file" and "file" not in kept.data and "file" in before.data:
            kept = kept.model_copy(update={"data": {**kept.data, "file": before.data["file"]}})
        return _attached(definition, place, [*action.attachments[:number], kept, *action.attachments[number + 1 :]])

    return make


def filling(action_id: str, attachment_id: str, file: dict[str, Any]) -> Make:
    """What was uploaded, into the attachment as it is by then. Conflict where that has no content of its own."""

    def make(definition: JobInput) -> JobInput:
        place, action = find(definition, action_id)
        number, before = find_attachment(action, attachment_id)
        require_file(before)
        filled = before.model_copy(update={"data": {**before.data, "file": file}})
        return _attached(definition, place, [*action.attachments[:number], filled, *action.attachments[number + 1 :]])

    return make


def require_file(attachment: Attachment) -> None:
    if attachment.type != "file":
        raise Conflict(f"an attachment of type {attachment.type!r} has no content of its own; only 'file' has")


def detaching(action_id: str, attachment_id: str) -> Make:
    def make(definition: JobInput) -> JobInput:
        place, action = find(definition, action_id)
        _, gone = find_attachment(action, attachment_id)
        return _attached(definition, place, [each for each in action.attachments if each is not gone])

    return make


def _attached(definition: JobInput, place: int, attachments: list[Attachment]) -> JobInput:
    return _replaced(definition, place, definition.actions[place].model_copy(update={"attachments": attachments}))


def _replaced(definition: JobInput, place: int, action: Action) -> JobInput:
    return _with(definition, [*definition.actions[:place], action, *definition.actions[place + 1 :]])


def _with(definition: JobInput, actions: list[Action]) -> JobInput:
    """With the model's own bound on how many there are."""
    if len(actions) > MOST:
        raise InvalidInput.one("actions", f"a job has at most {MOST} actions", len(actions))
    if any(len(action.attachments) > MOST for action in actions):
        raise InvalidInput.one("attachments", f"an action has at most {MOST} attachments")
    return definition.model_copy(update={"actions": actions})


MOST = 50
