"""`jobdeck doctor` on a folder that is sound, and on one with each of the things that go wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.upkeep.doctor import examine
from shared.clock import ManualClock, SystemClock
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.warm_start import run


def doctor(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(["doctor", "--data-dir", str(data_dir), *words])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an agent that has stopped: a job for each kind of thing that a job may need."""
    data = tmp_path_factory.mktemp("doctor") / "data"
    source = data.parent / "orders.db"
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TIMESTAMP)")
    with agent_process(data, "--workers", "1") as agent:
        agent.call("PUT", "/api/secrets/door", {"value": "s3cret-of-the-door"})
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
        agent.call("POST", "/api/knowledge-bases", {"name": "lamps"}, expect=201)
        table = {"source_table": "shop.orders", "knowledge_base": "lamps", "content_columns": ["product"]}
        _create(agent, "Sync", "kb-sync", {**table, "filter_column": "updated_at"})
        _create(agent, "Open", "command", {"command": "true", "env": {"DOOR": {"secret": "door"}}})
        done = doctor(data)
        assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout + done.stderr
        assert f"agent {agent.process.pid if agent.process else 0} since" in done.stdout
    return data


def _create(agent: AgentProcess, name: str, type_: str, data: dict[str, Any], **more: Any) -> str:
    return str(agent.call("POST", "/api/jobs", {"name": name, "type": type_, "data": data, **more}, expect=201)["id"])


def found(data_dir: Path, clock: Any = None) -> dict[str, str]:
    """What was found: (severity check) to sentence."""
    report = examine(data_dir, clock or SystemClock())
    return {f"{finding.severity} {finding.check}": finding.sentence for finding in report.findings}


def test_without_an_agent_all_is_well_too(kept: Path) -> None:
    done = doctor(kept)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout
    assert "no agent runs" in done.stdout
    told = json.loads(doctor(kept, "--json").stdout)
    assert (told["sound"], told["agent"], told["findings"]) == (True, None, [])
    assert told["bytes"]["store"] > 0
    assert set(told["bytes"]) == {"store", "knowledge", "datasets", "attached", "logs", "free"}


def test_a_folder_that_is_no_agents_is_not_found(tmp_path: Path) -> None:
    done = doctor(tmp_path)
    assert (done.returncode, "--data-dir" in done.stderr) == (3, True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_its_store_is_told_what_is_there_and_what_to_do(kept: Path, tmp_path: Path) -> None:
    data = shutil.copytree(kept, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock", "jobdeck.db*"))
    done = doctor(data)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{data} is an agent's folder" in done.stdout
    assert "put it back" in done.stdout
    assert "`jobdeck restore BACKUP --force`" in done.stdout
    backup = run(["backup", "--data-dir", str(data), str(tmp_path / "backup")])
    assert (backup.returncode, "its store jobdeck.db is gone" in backup.stderr) == (3, True)
    with agent_process(data, "--workers", "1", cold=True) as agent:
        assert "this agent begins with an empty one" in agent.log.read_text()
        assert doctor(data).returncode == 0


Damage = Callable[[Path], object]


def sql(statement: str) -> Damage:
    def apply(data: Path) -> None:
        with closing(sqlite3.connect(data / "jobdeck.db")) as store:
            store.create_function("lower", 1, str.lower, deterministic=True)
            store.execute(statement)
            store.commit()

    return apply


def _break_store(data: Path) -> None:
    (data / "jobdeck.db-wal").unlink(missing_ok=True)
    with (data / "jobdeck.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)


def _base(data: Path) -> Path:
    (path,) = data.rglob("knowledge.sqlite")
    return path


def _new_key(data: Path) -> None:
    from cryptography.fernet import Fernet

    (data / "secrets.key").write_bytes(Fernet.generate_key())


HELD = "account_id, job_number, fire_at, outcome, reason, count, decided_at"


@pytest.mark.parametrize(
    ("damage", "key", "told"),
    [
        (_break_store, "error store", ""),
        (lambda data: (data / "jobdeck.db").unlink(), "error store", "(secrets.key, knowledge, "),
        (lambda data: (data / "jobdeck.db").write_bytes(b"no database at all" * 500), "error store", "not a database"),
        (sql("UPDATE alembic_version SET version_num = '9999'"), "error schema", "newer"),
        (sql("UPDATE alembic_version SET version_num = '0000'"), "error schema", "newer"),
        (sql("INSERT INTO job_tags VALUES (999, 'x')"), "error store", "job_tags"),
        (lambda data: data.chmod(0o755), "error permissions", "755"),
        (lambda data: (data / "secrets.key").chmod(0o644), "error permissions", "secrets.key"),
        (lambda data: (data / "secrets.key").unlink(), "error secrets", "1 secret is"),
        (_new_key, "error secrets", "'door'"),
        (sql("DELETE FROM secrets"), "error jobs", "'Open' uses secret 'door'"),
        (sql("DELETE FROM connections"), "error jobs", "'Sync' uses connection 'shop'"),
        (sql("DELETE FROM knowledge_bases"), "error jobs", "'Sync' uses knowledge base 'lamps'"),
        (sql("DELETE FROM knowledge_bases"), "warning knowledge", "knows nothing of"),
        (sql("UPDATE jobs SET type = 'gone' WHERE name = 'Open'"), "error jobs", "no job type 'gone'"),
        (sql("UPDATE connections SET secret_name = 'lost'"), "error secrets", "'shop' uses secret 'lost'"),
        (sql("UPDATE jobs SET interval_type = 'cron'"), "warning schedules", "Sync, Open"),
        (sql("UPDATE jobs SET interval_type = 'cron', next_fire_at = 9e15"), "warning agent", "2 schedules"),
        (
            sql(f"INSERT INTO fires ({HELD}) VALUES ('default', 1, 1, 'held', 'awaiting_operator', 1, 1)"),
            "warning catch-up",
            "since 1970-01-01 00:00Z: 1 (jobs: 1)",
        ),
        (lambda data: shutil.rmtree(_base(data).parent), "error knowledge", "there is no file"),
        (lambda data: _base(data).write_bytes(b"x" * 10_000), "error knowledge", "'lamps'"),
        (lambda data: (_base(data).parent / "index.json").write_text("{"), "warning knowledge", "without its vector"),
    ],
)
def test_what_is_wrong_is_named(kept: Path, tmp_path: Path, damage: Damage, key: str, told: str) -> None:
    shutil.copytree(kept, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock"))
    damage(tmp_path / "data")
    findings = found(tmp_path / "data")
    assert told in findings[key], findings


def test_a_clock_that_was_set_back_is_named(kept: Path) -> None:
    assert "was set back" in found(kept, ManualClock(datetime(2020, 1, 1, tzinfo=UTC)))["error clock"]


def test_a_full_disk_is_named(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**12, 10**12 - 1000, 1000))
    assert found(kept)["error disk"].startswith("1 kB are free")


def test_what_a_killed_agent_left_is_named_and_fails_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    agent = AgentProcess(data, "--workers", "1").start()
    job = _create(agent, "Sleep", "command", {"command": f"echo $$ > {tmp_path}/pid; exec sleep 600"})
    agent.call("POST", f"/api/jobs/{job}")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), "it sleeps")
    assert agent.process is not None
    below = psutil.Process(agent.process.pid).children(recursive=True)
    for process in below:
        process.suspend()  # or they would see their agent gone, and end the run themselves
    agent.kill()
    try:
        done = doctor(data)
        assert done.returncode == 0, done.stdout
        assert "running, says the store, and no agent lives: Sleep" in done.stdout
        assert "of an agent that is no more still run" in done.stdout
        assert "start the agent" in done.stdout
    finally:
        for process in below:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def test_an_agent_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with agent_process(tmp_path / "data", "--workers", "1") as agent:
        agent.socket.rename(agent.socket.with_name("elsewhere"))
        done = doctor(tmp_path / "data")
        agent.socket.with_name("elsewhere").rename(agent.socket)
    assert (done.returncode, "does not answer" in done.stdout) == (1, True)
