"""From a definition's actions to what a worker is to do, and whether that may be done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from agent.core.actions.attachments import content_of
from agent.core.actions.steps import MAIN
from agent.core.definitions.parameters import needs_of
from agent.core.driving import Needs
from agent.core.ports import Blobs, Drivers
from agent.core.wire import ActionOrder, AttachmentGrant
from agent.core.world.attached import aliases_of, dataset_keys, unaliased
from shared.models import Action, Attachment, JobInput


def labels_of(actions: Sequence[Action]) -> list[str]:
    """What each is called: its name, else its type, counted where several of it have none."""
    found: list[str] = []
    unnamed = Counter[str]()
    for action in actions:
        unnamed[action.type] += not action.name
        count = unnamed[action.type]
        found.append(action.name or (f"{action.type} {count}" if count > 1 else action.type))
    return found


def key_of(action: Action, place: int) -> str:
    """Under which it is in the run's steps. A definition that is stored has ids; one that is being checked may not."""
    return action.id or f"action-{place + 1}"


def needs_of_all(drivers: Drivers, definition: JobInput) -> Needs:
    """What the job's own driver, its datasets and all actions need together. InvalidInput as `Drivers.get` and the
    parameters say."""
    needs = needs_of(drivers.get(definition.type), definition.data)
    if definition.datasets:
        needs += Needs(datasets=dataset_keys(definition))
    for action in definition.actions:
        needs += needs_of(drivers.get(action.type), action.data)
    return unaliased(needs, aliases_of(definition))


def action_orders(drivers: Drivers, blobs: Blobs, account_id: str, definition: JobInput) -> list[ActionOrder]:
    if not definition.actions:  # most jobs
        return []
    return [
        ActionOrder(
            id=key_of(action, place),
            name=name,
            type=action.type,
            entry=drivers.get(action.type).entry,
            data=action.data,
            condition=action.condition,
            on_error=action.on_error,
            attachments=[_grant(blobs, account_id, attachment) for attachment in action.attachments],
        )
        for place, (action, name) in enumerate(zip(definition.actions, labels_of(definition.actions), strict=True))
    ]


def is_repeat_safe(drivers: Drivers, definition: JobInput, checkpoint: Mapping[str, Any] | None) -> bool:
    """Whether an attempt that was lost may be followed by another: as the driver of the step says that it was at."""
    at = definition.type
    if definition.actions:
        done = (checkpoint or {}).get("done") or {}
        steps = [(MAIN, definition.type)]
        steps += [(key_of(action, place), action.type) for place, action in enumerate(definition.actions)]
        left = [type_ for key, type_ in steps if key not in done]
        if not left:
            return True
        at = left[0]
    manifest = drivers.find(at)
    return manifest is not None and manifest.repeat_safe


def _grant(blobs: Blobs, account_id: str, attachment: Attachment) -> AttachmentGrant:
    content = content_of(attachment.data) if attachment.type == "file" else None
    path = blobs.path(account_id, content.blob) if content else None
    return AttachmentGrant(type=attachment.type, name=attachment.name, data=attachment.data, path=path)
