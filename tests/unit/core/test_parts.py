"""Actions and attachments keep their ids from revision to revision."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from agent.core.definitions.parts import with_ids
from shared.errors import InvalidInput
from shared.ids import NewId
from shared.models import JobInput


def ids() -> NewId:
    numbers = count(1)
    return lambda: f"new-{next(numbers)}"


def job(*actions: dict[str, Any]) -> JobInput:
    return JobInput.model_validate({"name": "Orders", "type": "command", "actions": actions})


def test_what_has_no_id_gets_one() -> None:
    given = job({"type": "email", "attachments": [{"type": "file", "name": "Report"}]}, {"id": "mine", "type": "email"})
    found = with_ids(given, ids())
    assert [action.id for action in found.actions] == ["new-1", "mine"]
    assert found.actions[0].attachments[0].id == "new-2"
    assert given.actions[0].id is None


def test_a_definition_without_ids_keeps_those_of_what_stood_in_its_place() -> None:
    plain = job({"type": "email", "attachments": [{"type": "file", "name": "Report"}]}, {"type": "webhook"})
    before = with_ids(plain, ids())
    assert with_ids(plain, ids(), before) == before


def test_an_id_does_not_pass_to_something_else() -> None:
    before = with_ids(job({"type": "email"}, {"type": "webhook"}), ids())
    moved = with_ids(job({"type": "webhook"}, {"id": "new-1", "type": "email"}), lambda: "fresh", before)
    assert [action.id for action in moved.actions] == ["fresh", "new-1"]


def test_an_id_that_is_given_elsewhere_is_not_kept_in_place() -> None:
    before = with_ids(job({"type": "email"}, {"type": "email"}), ids())
    swapped = with_ids(job({"type": "email"}, {"id": "new-1", "type": "email"}), lambda: "fresh", before)
    assert [action.id for action in swapped.actions] == ["fresh", "new-1"]


def test_two_parts_cannot_have_one_id() -> None:
    attachment = {"id": "a", "type": "file", "name": "Report"}
    with pytest.raises(InvalidInput) as refused:
        with_ids(job({"id": "a", "type": "email", "attachments": [attachment]}, {"id": "a", "type": "email"}), ids())
    assert [fault.field for fault in refused.value.faults] == ["actions.0.attachments.0.id", "actions.1.id"]
