"""What a definition's actions need, what a worker gets of them, and whether an attempt may be followed by another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.core.actions.planning import action_orders, is_repeat_safe, labels_of, needs_of_all
from agent.drivers.registry import DriverRegistry
from agent.resources.blobs import FileBlobStore
from shared.models import JobInput

DRIVERS = DriverRegistry()
SYNC = {
    "source_table": "shop.orders",
    "knowledge_base": "kb",
    "content_columns": ["a"],
    "filter_column": "b",
}
HOOK = {"id": "hook", "type": "webhook", "data": {"url": "https://a.example", "headers": {"A": {"secret": "token"}}}}
MAIL = {"id": "mail", "type": "email", "name": "Report", "data": {"to": "a@x.org", "subject": "s", "text": "t"}}


def definition(*actions: dict[str, Any], type_: str = "kb-sync", data: dict[str, Any] | None = None) -> JobInput:
    return JobInput.model_validate({"name": "n", "type": type_, "data": data or SYNC, "actions": list(actions)})


def test_what_all_steps_need_is_asked_for_together() -> None:
    needs = needs_of_all(DRIVERS, definition(HOOK, MAIL, {**HOOK, "id": "again"}))
    assert (needs.connections, needs.knowledge_bases, needs.secrets) == (("shop",), ("kb",), ("token",))
    assert needs.mail_server


def test_a_worker_gets_actions_with_their_entries_and_where_contents_lie(tmp_path: Path) -> None:
    blobs = FileBlobStore(tmp_path, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    digest = "ab" * 32
    file = {"type": "file", "name": "f", "data": {"file": {"blob": digest, "size": 1}}}
    with_files = {**MAIL, "attachments": [file, {"type": "log", "name": "l"}], "condition": 'ok("main")'}
    hook, mail = action_orders(DRIVERS, blobs, "account", definition(HOOK, with_files))
    assert (hook.id, hook.name, hook.entry) == ("hook", "webhook", "agent.drivers.webhook.run:run")
    assert (mail.name, mail.condition, mail.on_error) == ("Report", 'ok("main")', "stop")
    assert mail.attachments[0].path == blobs.path("account", digest)
    assert mail.attachments[1].path is None


def test_actions_without_a_name_are_told_apart() -> None:
    actions = definition({**MAIL, "id": "a", "name": None}, HOOK, MAIL, {**MAIL, "id": "b", "name": None}).actions
    assert labels_of(actions) == ["email", "webhook", "Report", "email 2"]


@pytest.mark.parametrize(
    ("done", "safe"),
    [(None, True), ([], True), (["main"], False), (["main", "hook"], True), (["main", "hook", "export"], True)],
)
def test_the_step_that_it_was_at_decides_whether_it_may_be_done_again(done: list[str] | None, safe: bool) -> None:
    sync = {"id": "export", "type": "kb-sync", "data": SYNC}
    checkpoint = None if done is None else {"done": {step: {"state": "completed"} for step in done}}
    assert is_repeat_safe(DRIVERS, definition(HOOK, sync), checkpoint) is safe


def test_without_actions_the_driver_decides_and_its_checkpoint_is_its_own() -> None:
    assert is_repeat_safe(DRIVERS, definition(), {"done": 7})
    assert not is_repeat_safe(DRIVERS, definition(type_="command", data={"command": ["true"]}), None)
    assert not is_repeat_safe(DRIVERS, definition(type_="of a plug-in that is gone"), None)
