"""How many rows an account may have in its knowledge bases, whichever way they come in."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.core.driving import DriverError
from agent.core.wire import RowLimit
from agent.drivers.import_.manifest import MANIFEST as IMPORT
from agent.drivers.import_.run import run as import_file
from agent.resources.knowledge.room import account_rows
from tests.contract.drivers.documents.files import put
from tests.contract.drivers.kb_world import KbWorld, later
from tests.harness.agent_process import until
from tests.harness.context import RecordingContext
from tests.harness.telling import PATIENCE

MOST = 6


class LimitedWorld(KbWorld):
    most = MOST

    def context(self, run_id: str | None = None, **more: Any) -> RecordingContext:
        context = super().context(run_id, **more)
        limit = RowLimit(account_id="sales", most=self.most, folder=str(self.folder))
        context._knowledge_bases["orders_kb"] = self.kb_grant.model_copy(update={"rows": limit})
        return context

    def bring(self, lines: str) -> dict[str, Any]:
        (self.folder / "files/in.jsonl").write_text(lines)
        how = {"file": "in.jsonl", "knowledge_base": "orders_kb", "key_columns": ["no"], "content_columns": ["title"]}
        return import_file(self.context(), IMPORT.parameters.model_validate(how))

    def held(self) -> int:
        return account_rows(self.folder)


@pytest.fixture
def world(tmp_path: Path) -> LimitedWorld:
    (tmp_path / "files/in").mkdir(parents=True)
    made = LimitedWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
    made.create_orders()
    return made


def refused(error: pytest.ExceptionInfo[DriverError]) -> str:
    assert (error.value.kind, error.value.transient) == ("limit_reached", False)
    return str(error.value)


def test_a_sync_keeps_what_fits_and_names_limit_figures_and_remedy(world: LimitedWorld) -> None:
    world.add(*range(1, 10))
    with pytest.raises(DriverError) as error:
        world.sync(batch_size=3)
    said = refused(error)
    for words in ("'sales' has 6 rows", "may have 6", "limit knowledge_rows", "adds 3", "have the limit raised"):
        assert words in said
    assert world.held() == len(world.texts()) == MOST
    world.most = 9
    assert world.sync(batch_size=3)["rows_synced"] == 3
    assert world.texts() == world.source_texts()


def test_imports_and_documents_are_counted_with_what_is_there(world: LimitedWorld) -> None:
    world.add(1, 2, 3, 4, 5)
    world.sync()
    with pytest.raises(DriverError) as error:
        world.bring('{"no": 1, "title": "Lamp"}\n{"no": 2, "title": "Desk"}\n')
    refused(error)
    world.bring('{"no": 1, "title": "Lamp"}\n')
    put(world, "in/notes.txt", b"One more.")
    with pytest.raises(DriverError) as error:
        world.process()
    refused(error)
    assert world.held() == MOST


def test_rows_of_the_accounts_other_bases_count(world: LimitedWorld) -> None:
    world.add(1, 2, 3, 4)
    world.sync()
    world.base = world.folder / "other_kb"
    with pytest.raises(DriverError) as error:
        world.sync()
    refused(error)
    world.execute("DELETE FROM orders WHERE id > 2")
    world.sync()
    assert world.held() == MOST


def test_what_is_beyond_a_lowered_limit_is_changed_made_anew_and_removed(world: LimitedWorld) -> None:
    world.add(*range(1, 7))
    world.sync()
    world.most = 4
    world.change(1, text="red", at=later(60))
    assert world.sync()["rows_synced"] == 1
    world.reset(batch_size=2)  # aside: the old and the new are counted once
    assert world.texts() == world.source_texts()
    world.delete(1, 2, 3)
    assert world.sync(compare="full")["rows_deleted"] == 3
    world.add(20, at=later(120))
    assert world.sync()["rows_synced"] == 1


def test_who_adds_rows_waits_for_another_that_adds_some(world: LimitedWorld) -> None:
    world.add(1, 2)
    handle = os.open(world.folder / ".rows.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    run = threading.Thread(target=world.sync)
    try:
        run.start()
        until(lambda: waited_for(os.fstat(handle).st_ino), "the sync waits for the lock")
        assert world.held() == 0
    finally:
        os.close(handle)
        run.join(PATIENCE)
    assert world.held() == 2


def waited_for(inode: int) -> bool:
    return any("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())
