"""Contents of attached files: whole or not there, each once, kept while anything names them, and in the backup."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.resources.blobs import FileBlobStore
from agent.services.retention import BLOB_GRACE, Retention
from agent.upkeep.backup import back_up
from agent.upkeep.restore import restore
from shared.clock import ManualClock
from shared.models import Action, Attachment, Job
from tests.functional.agent.stage import NOON, Stage

CONTENT = b"a report of some pages"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


async def pieces(*parts: bytes, broken: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if broken:
        raise OSError("the client is gone")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def with_file(stage: Stage, content: bytes = CONTENT) -> Job:
    """A job whose mail takes an uploaded file with it."""
    data = {
        "to": "a@example.org",
        "subject": "s",
        "text": "t",
        "server": {"host": "mail.example.org", "from": "j@x.org"},
    }
    action = Action(
        id="mail", type="email", data=data, attachments=[Attachment(id="f", type="file", name="report.txt")]
    )
    job = await stage.job(actions=[action])
    await stage.core.actions.put_content(stage.me, job.id, "mail", "f", pieces(content), "text/plain")
    return job


async def tidy_up(stage: Stage, span: timedelta = BLOB_GRACE + timedelta(minutes=1)) -> None:
    stage.clock.advance(span)
    while await stage.duty(Retention).poll() < 30:
        pass


async def test_a_content_is_there_once_and_under_its_hash(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path, ManualClock(NOON).now)
    for parts in ((CONTENT,), (CONTENT[:3], CONTENT[3:])):
        assert await store.put("a", pieces(*parts)) == (DIGEST, len(CONTENT))
    assert files(tmp_path) == {DIGEST}
    assert store.holds("a", DIGEST)
    assert not store.holds("b", DIGEST), "another account does not have it"
    assert Path(store.path("a", DIGEST)).read_bytes() == CONTENT  # noqa: ASYNC240
    with pytest.raises(ValueError, match="no SHA-256"):
        store.path("a", "../../etc/passwd")


async def test_a_content_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path, ManualClock(NOON).now)
    with pytest.raises(OSError, match="gone"):
        await store.put("a", pieces(CONTENT, broken=True))
    assert files(tmp_path) == set()


async def test_what_nothing_names_goes_after_a_while(stage: Stage) -> None:
    job = await with_file(stage)
    blobs = stage.path / "blobs"
    await stage.core.actions.put_content(stage.me, job.id, "mail", "f", pieces(b"newer"), "text/plain")
    unnamed = hashlib.sha256(b"nobody's").hexdigest()
    await stage.core.actions._blobs.put(stage.me.account_id, pieces(b"nobody's"))
    (blobs / "aside-of-a-dead-agent").write_bytes(b"half")
    newer = hashlib.sha256(b"newer").hexdigest()
    await tidy_up(stage, timedelta(minutes=30))
    assert {DIGEST, newer, unnamed} <= files(blobs), "somebody may be about to name it"
    await tidy_up(stage)
    assert files(blobs) >= {DIGEST, newer}, "the revision before names the older one"
    assert unnamed not in files(blobs)


async def test_a_draft_keeps_what_it_names(stage: Stage) -> None:
    job = await stage.job(type="command", data={"command": ["true"]})
    draft, _ = await stage.core.drafts.edit(stage.me, job.id)
    mail = {"type": "email", "data": {}, "attachments": [{"id": "f", "type": "file", "name": "r.txt"}], "id": "m"}
    await stage.core.actions.add(stage.me, draft.id, Action.model_validate(mail))
    await stage.core.actions.put_content(stage.me, draft.id, "m", "f", pieces(CONTENT), "text/plain")
    await tidy_up(stage)
    assert files(stage.path / "blobs") == {DIGEST}
    await stage.core.drafts.discard(stage.me, draft.id, None)
    await tidy_up(stage)
    assert files(stage.path / "blobs") == set()


async def test_a_backup_has_the_contents(stage: Stage, tmp_path: Path) -> None:
    await with_file(stage)
    back_up(stage.path, tmp_path / "copy", stage.clock)
    restore(tmp_path / "copy", tmp_path / "new", stage.clock)
    assert files(tmp_path / "new" / "blobs") == {DIGEST}
