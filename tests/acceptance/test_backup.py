"""A backup made while the agent works, put back, and worked on again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.upkeep.backup import back_up
from agent.upkeep.restore import restore
from shared.clock import SystemClock
from shared.errors import JobdeckError
from shared.exits import exit_for
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.telling import PATIENCE
from tests.harness.warm_start import run

ROWS = 2000
ARGV = [sys.executable, "-m", "shared.launcher"]


def jobdeck(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = run([*map(str, words)])
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "orders.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TIMESTAMP)")
        rows = [(n, f"lamp {n}", f"2026-03-01 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}") for n in range(ROWS)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
        database.commit()
    return path


@pytest.fixture(scope="module")
def backups(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    """A folder with two backups, `folder` and `file.tar`, made while two jobs write; `data` is the agent's, stopped then."""
    root = tmp_path_factory.mktemp("backups")
    with agent_process(root / "data", "--workers", "2") as agent:
        agent.call("PUT", "/api/secrets/door", {"value": "s3cret-of-the-door"})
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
        agent.call("POST", "/api/knowledge-bases", {"name": "lamps"}, expect=201)
        writers = [_syncing(agent), _talking(agent)]
        until(lambda: agent.call("GET", f"/api/runs/{writers[1]}/log?limit=1")["total"] > 0, "the log grows")
        until(lambda: agent.call("GET", f"/api/runs/{writers[0]}")["progress"]["done"] > 0, "rows come in")
        back_up(root / "data", root / "folder", SystemClock())
        jobdeck("backup", root / "file.tar", "--data-dir", root / "data", "--with-key")
        assert agent.call("GET", f"/api/runs/{writers[1]}")["state"] == "running"
        agent.run_until(writers[0], "completed")
        agent.call("POST", f"/api/runs/{writers[1]}/_cancel")
        agent.run_until(writers[1], "cancelled")
    return root


def _syncing(agent: AgentProcess) -> str:
    data = {
        "source_table": "shop.orders",
        "knowledge_base": "lamps",
        "content_columns": ["product"],
        "filter_column": "updated_at",
        "batch_size": 50,
    }
    return _start(agent, {"name": "Lamps", "type": "kb-sync", "data": data})


def _talking(agent: AgentProcess) -> str:
    script = "n=0; while :; do n=$((n+1)); echo line $n; sleep 0.001; done"
    job = {"name": "Talk", "type": "command", "data": {"command": script}, "policies": {"on_lost": "fail"}}
    return _start(agent, job)


def _start(agent: AgentProcess, job: dict[str, Any]) -> str:
    created = agent.call("POST", "/api/jobs", job, expect=201)
    return str(agent.call("POST", f"/api/jobs/{created['id']}")["id"])


def _run_of(agent: AgentProcess, type_: str) -> str:
    (run,) = agent.call("GET", f"/api/runs?filter=type:{type_}")["items"]
    return str(run["id"])


def test_what_was_going_on_goes_on_after_a_restore(backups: Path, tmp_path: Path) -> None:
    told = json.loads(jobdeck("restore", backups / "file.tar", "--data-dir", tmp_path / "data", "--json").stdout)
    assert told["withKey"] is True
    with agent_process(tmp_path / "data", "--workers", "2") as agent:
        agent.run_until(_run_of(agent, "kb-sync"), "completed")
        assert agent.call("GET", "/api/knowledge-bases/lamps")["rows"] == ROWS
        talk = agent.run_until(_run_of(agent, "command"), "failed")
        assert talk["error"]["kind"] == "lost"
        page = agent.call("GET", f"/api/runs/{talk['id']}/log?limit=1000")
        assert [line["text"] for line in page["lines"][:2]] == ["line 1", "line 2"]
        data = {"command": 'test "$DOOR" = s3cret-of-the-door', "env": {"DOOR": {"secret": "door"}}}
        again = _start(agent, {"name": "New", "type": "command", "data": data})
        agent.run_until(again, "completed")


def test_without_the_key_the_secrets_stay_closed(backups: Path, tmp_path: Path) -> None:
    assert not list((backups / "folder").rglob("secrets.key"))
    assert not any(b"s3cret" in path.read_bytes() for path in (backups / "folder").rglob("*") if path.is_file())
    jobdeck("restore", backups / "folder", "--data-dir", tmp_path / "data")
    assert not (tmp_path / "data" / "secrets.key").exists()


def test_a_backup_stands_alone_and_is_its_owners(backups: Path) -> None:
    names = {
        path.relative_to(backups / "folder").as_posix() for path in (backups / "folder").rglob("*") if path.is_file()
    }
    manifest = json.loads((backups / "folder" / "manifest.json").read_text())
    assert names == {"manifest.json", *(file["path"] for file in manifest["files"])}
    assert not any("vectors" in name or name.endswith(("-wal", "-shm", ".lock")) for name in names)
    for path in (backups / "folder").rglob("*"):
        assert not path.stat().st_mode & 0o077, path
    assert not (backups / "file.tar").stat().st_mode & 0o077
    for file in (path for path in (backups / "folder").rglob("*") if path.name in ("jobdeck.db", "knowledge.sqlite")):
        with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as database:
            assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def test_what_the_store_has_seen_done_is_in_the_knowledge_base(backups: Path) -> None:
    """Made while rows came in: were the knowledge base copied first, the store would know of rows that are not there."""
    with closing(sqlite3.connect(backups / "folder" / "jobdeck.db")) as store:
        (done,) = store.execute("SELECT done FROM runs WHERE type = 'kb-sync'").fetchone()
    (base,) = (backups / "folder").rglob("knowledge.sqlite")
    with closing(sqlite3.connect(base)) as rows:
        (count,) = rows.execute("SELECT count(*) FROM rows").fetchone()
    assert 0 < done <= count


def test_a_backup_takes_nobodys_place(backups: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    refused = jobdeck("backup", tmp_path / "taken", "--data-dir", backups / "data", code=6)
    assert "is there already" in refused.stderr
    assert "thesis" in str(list((tmp_path / "taken").iterdir()))
    assert ".tar" in jobdeck("backup", tmp_path / "x.tar.gz", "--data-dir", backups / "data", code=2).stderr
    assert "--data-dir" in jobdeck("backup", tmp_path / "x", "--data-dir", tmp_path / "no", code=3).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize("place", ["logs/monday", "knowledge/monday", "datasets", "blobs/main/x/y", "logs/../logs/x"])
def test_no_backup_is_made_among_the_agents_own_files(backups: Path, place: str) -> None:
    """The next one would take it for logs or attached files, or fail on it."""
    data = backups / "data"
    (data / place).parent.mkdir(parents=True, exist_ok=True)
    refused = jobdeck("backup", data / place, "--data-dir", data, code=2)
    assert "is among the agent's own files" in refused.stderr
    assert str(data / place) in refused.stderr
    assert not (data / place / "manifest.json").exists()


@pytest.mark.parametrize("name", ["half", "half.tar"])
def test_a_backup_that_is_interrupted_leaves_nothing(backups: Path, tmp_path: Path, name: str) -> None:
    """A log that is a pipe holds the copy where the signal is to meet it."""
    log = next((backups / "data" / "logs").glob("*/*"))
    os.mkfifo(log / "999.log")
    words = ["backup", str(tmp_path / name), "--data-dir", str(backups / "data")]
    try:
        process = subprocess.Popen([*ARGV, *words], stderr=subprocess.PIPE)
        until(lambda: list(tmp_path.glob(".half*/jobdeck.db")) and list(tmp_path.glob(".half*/logs")), "it copies logs")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    finally:
        (log / "999.log").unlink()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["half", "half.tar"])
def test_what_a_killed_backup_left_goes_with_the_next_and_what_another_works_on_stays(
    backups: Path, tmp_path: Path, name: str
) -> None:
    mine = tmp_path / ".thesis.12.partial"
    mine.mkdir()
    log = next((backups / "data" / "logs").glob("*/*"))
    os.mkfifo(log / "999.log")
    words = ["backup", str(tmp_path / name), "--data-dir", str(backups / "data")]
    killed, works = (subprocess.Popen([*ARGV, *words], stderr=subprocess.PIPE) for _ in range(2))
    try:
        for process in (killed, works):
            until(lambda: (_aside(tmp_path / name, process) / "logs").exists(), "it copies logs")  # noqa: B023
        killed.kill()
        killed.communicate(timeout=PATIENCE)
        assert _aside(tmp_path / name, killed).exists()
        (log / "999.log").rename(tmp_path / "pipe")  # the next one is to come to its end
        jobdeck("backup", tmp_path / "next", "--data-dir", backups / "data")
        assert not _aside(tmp_path / name, killed).exists()
        assert _aside(tmp_path / name, works).exists()
        with (tmp_path / "pipe").open("wb"):
            pass
        works.communicate(timeout=PATIENCE)
    finally:
        for process in (killed, works):
            process.kill()
            process.communicate()
        (log / "999.log").unlink(missing_ok=True)
    assert works.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.name, name, "next", "pipe"])


def _aside(target: Path, process: subprocess.Popen[bytes]) -> Path:
    return target.with_name(f".{target.name}.{process.pid}.partial")


def test_a_full_disk_leaves_nothing(backups: Path, tmp_path: Path) -> None:
    import resource

    def small() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    words = ["backup", str(tmp_path / "x.tar"), "--data-dir", str(backups / "data")]
    done = subprocess.run([*ARGV, *words], capture_output=True, text=True, preexec_fn=small)
    assert (done.returncode, "Traceback" in done.stderr) == (5, False), done.stderr
    assert list(tmp_path.iterdir()) == []


# -- what restore refuses ----------------------------------------------------------------------------------------------


def test_a_restore_spares_what_is_there(backups: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    jobdeck("restore", backups / "file.tar", "--data-dir", data)
    (data / "agent.toml").write_text("workers = 1\n")
    assert "not empty" in jobdeck("restore", backups / "folder", "--data-dir", data, code=6).stderr
    key = (data / "secrets.key").read_bytes()
    told = json.loads(jobdeck("restore", backups / "folder", "--data-dir", data, "--force", "--json").stdout)
    assert (Path(told["replaced"]) / "agent.toml").read_text() == "workers = 1\n"
    assert (data / "secrets.key").read_bytes() == key
    with agent_process(data) as agent:
        refused = jobdeck("restore", backups / "folder", "--data-dir", data, "--force", code=6)
        assert "another agent works on this store" in refused.stderr
        assert agent.call("GET", "/readyz")["ready"] is True


_KILLED = """
import os, signal, sys
from shared.launcher import main
left, rename = int(sys.argv.pop(1)), os.rename

def killed(*names, **named):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    rename(*names, **named)

os.rename = killed
main()
"""


def test_a_restore_that_is_killed_at_any_move_leaves_no_store_or_the_whole_of_one(
    backups: Path, tmp_path: Path
) -> None:
    words = ["restore", str(backups / "file.tar"), "--force"]
    for moves in range(20):
        data = tmp_path / str(moves)
        jobdeck("restore", backups / "folder", "--data-dir", data)
        (data / "agent.toml").write_text("workers = 1\n")
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, str(moves), *words, "--data-dir", str(data)], capture_output=True
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        if not (data / "jobdeck.db").exists():
            told = jobdeck("agent", "--data-dir", data, code=6).stderr
            assert "a restore was cut short; run it again, with --force" in told
            assert "run it again, with --force" in jobdeck("doctor", "--data-dir", data, code=1).stdout
        else:
            assert moves == 0, "nothing has moved yet"
            assert "was ended before it changed anything" in jobdeck("doctor", "--data-dir", data, code=1).stdout
        jobdeck(*words, "--data-dir", data)
        assert _restored(data) == _restored(backups / "folder")
        assert [path.read_text() for path in data.rglob("agent.toml")] == ["workers = 1\n"], "nothing is lost"
    else:
        pytest.fail("it was never over")
    assert moves > 5


def _restored(folder: Path) -> list[str]:
    """What belongs to the store, by name; none of what lies aside."""
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path) for path in found if path.parts[0] in ("jobdeck.db", "logs", "knowledge"))


Damage = Callable[[Path], None]


def _flip(backup: Path) -> None:
    with (backup / "jobdeck.db").open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)[0]
        file.seek(5000)
        file.write(bytes([byte ^ 1]))


def _cut(backup: Path) -> None:
    os.truncate(backup / "jobdeck.db", 4096)


def _lose(backup: Path) -> None:
    (backup / "jobdeck.db").unlink()


def _link(backup: Path) -> None:
    (backup / "jobdeck.db").rename(backup.parent / "elsewhere.db")
    (backup / "jobdeck.db").symlink_to(backup.parent / "elsewhere.db")


def _listed(change: Callable[[dict[str, Any]], object]) -> Damage:
    def apply(backup: Path) -> None:
        manifest = json.loads((backup / "manifest.json").read_text())
        change(manifest)
        (backup / "manifest.json").write_text(json.dumps(manifest))

    return apply


def _kept(path: str) -> dict[str, Any]:
    return {"path": path, "size": 0, "sha256": hashlib.sha256().hexdigest()}


@pytest.mark.parametrize(
    ("damage", "code", "told"),
    [
        (_flip, 2, "jobdeck.db is damaged"),
        (_cut, 2, "4096 bytes"),
        (_lose, 2, "missing"),
        (_link, 2, "no plain file"),
        (_listed(lambda manifest: manifest["files"].append(_kept("logs/../../escaped"))), 2, "no file of that name"),
        (_listed(lambda manifest: manifest["files"].append(_kept("/etc/escaped"))), 2, "no file of that name"),
        (_listed(lambda manifest: manifest["files"].append(_kept("run/agent.sock"))), 2, "no file of that name"),
        (_listed(lambda manifest: manifest["files"].append(_kept("jobdeck.db"))), 2, "twice"),
        (_listed(lambda manifest: manifest["files"].clear()), 2, "has no jobdeck.db"),
        (_listed(lambda manifest: manifest.update(store_schema="9999")), 6, "upgrade Jobdeck"),
        (_listed(lambda manifest: manifest.update(store_schema="../*")), 6, "upgrade Jobdeck"),
        (_listed(lambda manifest: manifest["files"][0].update(size=10**18)), 2, "says 1000000000000000000"),
        (lambda backup: (backup / "manifest.json").write_text("{"), 2, "manifest.json"),
        (lambda backup: (backup / "manifest.json").unlink(), 2, "no backup"),
    ],
)
def test_an_unsound_backup_changes_nothing(backups: Path, tmp_path: Path, damage: Damage, code: int, told: str) -> None:
    shutil.copytree(backups / "folder", tmp_path / "backup")
    damage(tmp_path / "backup")
    with pytest.raises(JobdeckError, match=told) as refused:
        restore(tmp_path / "backup", tmp_path / "data", SystemClock())
    assert exit_for(refused.value) == code
    assert not (tmp_path / "data").exists()


def _member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, "/etc/passwd" if kind != tarfile.REGTYPE else ""
    return info, content


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ([_member("../escaped", b"x")], "does not name"),
        ([_member("/tmp/escaped", b"x")], "does not name"),
        ([_member("logs/x", kind=tarfile.SYMTYPE)], "no plain file"),
        ([_member("logs/x", kind=tarfile.LNKTYPE)], "no plain file"),
        ([_member("logs/x", kind=tarfile.CHRTYPE)], "no plain file"),
        ([_member("logs/x", b"0" * 1_000_000)], "1000000 bytes"),
        ([_member("logs/x"), _member("logs/x")], "twice"),
        ([], "missing"),
    ],
)
def test_a_tar_brings_only_what_its_manifest_names(tmp_path: Path, members: list[Any], told: str) -> None:
    manifest = {
        "jobdeck": "0", "store_schema": "0001", "store_id": "x", "knowledge_schema": 1, "made_at": "2026-03-01T00:00:00Z",
        "with_key": False, "files": [_kept("logs/x")],
    }  # fmt: skip
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for info, content in [_member("manifest.json", json.dumps(manifest).encode()), *members]:
            tar.addfile(info, io.BytesIO(content))
    assert told in jobdeck("restore", tmp_path / "evil.tar", "--data-dir", tmp_path / "data", code=2).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["evil.tar"]
