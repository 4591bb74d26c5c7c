"""Snapshots in a backup, and under the eyes of the doctor."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.resources.datasets.folder import SnapshotFolder
from agent.upkeep.backup import back_up
from agent.upkeep.doctor import examine
from agent.upkeep.findings import Finding
from agent.upkeep.restore import restore
from shared.clock import SystemClock
from tests.harness.agent_process import agent_process


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agent that has stopped, with a dataset that has two snapshots."""
    root = tmp_path_factory.mktemp("kept")
    with closing(sqlite3.connect(root / "shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    with agent_process(root / "data", "--workers", "1") as agent:
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{root}/shop.db"}, expect=201)
        given = {"name": "orders", "connection": "shop", "query": "SELECT * FROM orders"}
        agent.call("POST", "/api/datasets", given, expect=201)
        for _ in range(2):
            run = agent.call("POST", "/api/datasets/orders/_refresh", expect=202)
            assert agent.run_until(run["id"], "completed", "failed")["state"] == "completed"
        back_up(root / "data", root / "while-it-works", SystemClock())
    return root


def folder_of(data: Path) -> SnapshotFolder:
    [path] = (data / "datasets" / "default").iterdir()
    return SnapshotFolder(path)


def findings(data: Path) -> list[Finding]:
    return [finding for finding in examine(data, SystemClock()).findings if finding.check == "datasets"]


def test_a_backup_has_the_snapshots_and_gives_them_back(made: Path, tmp_path: Path) -> None:
    before = folder_of(made / "data")
    assert len(before.list()) == 2
    restore(made / "while-it-works", tmp_path / "again", SystemClock())
    after = folder_of(tmp_path / "again")
    assert after.list() == before.list()
    assert after.faults() == []
    assert findings(tmp_path / "again") == []
    with agent_process(tmp_path / "again", "--workers", "1") as agent:
        assert agent.call("GET", "/api/datasets/orders/rows")["total"] == 0
        assert agent.call("GET", "/api/datasets/orders")["snapshots"] == 2


def test_the_doctor_sees_what_does_not_agree(made: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(made / "data", data, ignore=shutil.ignore_patterns("*.sock", "run"))
    assert findings(data) == []
    folder = folder_of(data)
    newest, oldest = folder.list()
    content = folder.parquet(newest).read_bytes()
    folder.parquet(newest).write_bytes(content[:-20] + bytes(20))
    folder.parquet(oldest).unlink()
    (folder.path / "broken.json").write_text("{")
    (data / "datasets" / "default" / "stranger").mkdir()
    said: dict[str, list[str]] = {"error": [], "warning": []}
    for finding in findings(data):
        said[finding.severity].append(finding.sentence)
    assert len(said["error"]) == 3
    for word in ("SHA-256", "is missing", "cannot be read"):
        assert any(word in sentence for sentence in said["error"]), said
    assert "stranger" in said["warning"][0]
