"""Whether a definition's actions hold together: types, ids, conditions, what is attached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from agent.core.actions.attachments import ATTACHMENTS, content_of
from agent.core.actions.conditions import ConditionError, compile_condition
from agent.core.actions.names import attachment_name
from agent.core.actions.planning import key_of
from agent.core.actions.steps import MAIN, names_of
from agent.core.definitions.parameters import parsed
from agent.core.ports import Blobs, Drivers
from shared.errors import Fault, InvalidInput
from shared.models import Action, Attachment, JobInput


class ActionChecking:
    def __init__(self, drivers: Drivers, blobs: Blobs) -> None:
        self._drivers = drivers
        self._blobs = blobs

    def faults(self, account_id: str, definition: JobInput) -> Iterator[Fault]:
        """Every one, under `actions.<place>`; parameters and names are checked as a job's own are."""
        for place, action in enumerate(definition.actions):
            for fault in self._of_action(account_id, action, place, definition):
                yield under(f"actions.{place}", fault)

    def _of_action(self, account_id: str, action: Action, place: int, definition: JobInput) -> Iterator[Fault]:
        if action.id == MAIN:
            yield Fault("id", f"{MAIN!r} is the job's own driver; choose another", MAIN)
        if action.condition is not None:
            yield from _of_condition(action.condition, definition.actions[:place])
        try:
            manifest = self._drivers.get(action.type)
        except InvalidInput as error:
            yield from error.faults
            return
        if action.attachments and not manifest.takes_attachments:
            yield Fault("attachments", f"{action.type!r} takes none; leave them out")
            return
        names = [attachment.name for attachment in action.attachments]
        for number, attachment in enumerate(action.attachments):
            for fault in (
                *self._of_attachment(account_id, attachment, names[:number]),
                *_of_dataset(attachment, definition),
            ):
                yield under(f"attachments.{number}", fault)

    def _of_attachment(self, account_id: str, attachment: Attachment, before: list[str]) -> Iterator[Fault]:
        try:
            if attachment_name(attachment.name) in map(str.casefold, before):
                yield Fault("name", "another attachment of the action has that name", attachment.name)
            yield from _of_data(attachment)
            content = content_of(attachment.data) if attachment.type == "file" else None
        except InvalidInput as error:
            yield from error.faults
            return
        except ValueError:
            return
        if content is not None and not self._blobs.holds(account_id, content.blob):
            yield Fault("data.file", "its content is not here (any more); upload it anew", content.blob)


def under(place: str, fault: Fault) -> Fault:
    return replace(fault, field=f"{place}.{fault.field}")


def _of_condition(text: str, before: list[Action]) -> Iterator[Fault]:
    keys = [(key_of(action, place), action.name) for place, action in enumerate(before)]
    known = {MAIN: None, **{key: None for key, _ in keys}, **dict.fromkeys(names_of(keys))}
    try:
        compile_condition(text, list(known))
    except ConditionError as error:
        yield Fault("condition", str(error), text)


def _of_dataset(attachment: Attachment, definition: JobInput) -> Iterator[Fault]:
    aliases = [one.alias for one in definition.datasets]
    alias = attachment.data.get("dataset")
    if attachment.type == "dataset" and isinstance(alias, str) and alias not in aliases:
        there = ", ".join(aliases) or "none yet"
        yield Fault("data.dataset", f"the job has no dataset with that alias; there are: {there}", alias)


def _of_data(attachment: Attachment) -> Iterator[Fault]:
    model = ATTACHMENTS.get(attachment.type)
    if model is None:
        known: Mapping[str, object] = ATTACHMENTS
        yield Fault(
            "type", f"there is no attachment of type {attachment.type!r}; there are {', '.join(known)}", attachment.type
        )
        return
    try:
        parsed(model, attachment.data)
    except InvalidInput as error:
        yield from error.faults
