"""Setting an agent up from the shell, before it runs and while it does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.harness.agent_process import agent_process, until
from tests.harness.prepared import prepare_folder
from tests.harness.warm_start import run, start


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return prepare_folder(tmp_path / "data")


def jobdeck(data_dir: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "JOBDECK_DATA_DIR": str(data_dir)}
    return run(words, given=given, env=env)


def test_what_is_set_up_without_an_agent_is_there_when_one_runs(data_dir: Path) -> None:
    token = jobdeck(data_dir, "token", "create", "ci", "--scope", "read")
    added = jobdeck(data_dir, "connection", "add", "shop", "-", given="postgresql://reader:hunter2@127.0.0.1/shop\n")
    assert (token.returncode, added.returncode) == (0, 0), token.stderr + added.stderr
    assert token.stdout.count("\n") == 1

    with agent_process(data_dir, "--workers", "1") as agent:
        (shop,) = agent.call("GET", "/api/connections")["items"]
        assert "hunter2" not in str(shop)
        assert shop["secretName"] == "connection-shop"
        with agent.client() as client:
            headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
            assert client.get("/api/jobs", headers=headers).status_code == httpx.codes.OK
            assert client.post("/api/jobs", headers=headers, json={"name": "x", "type": "command"}).status_code == 403
    assert not any(b"hunter2" in path.read_bytes() for path in data_dir.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "words", [("job", "share", "orders", "ada"), ("user", "list"), ("connection", "test", "shop"), ("kb", "list")]
)
def test_a_question_about_what_is_not_there_makes_no_store(tmp_path: Path, words: tuple[str, ...]) -> None:
    asked = jobdeck(tmp_path / "data", *words)
    assert (asked.returncode, asked.stdout) == (5, "")
    assert "no agent runs here" in asked.stderr
    assert not (tmp_path / "data").exists()


def test_the_command_behind_an_agents_start_waits_for_it(data_dir: Path) -> None:
    """As `jobdeck agent &` and the next line of the README, pasted at once."""
    agent = start(["agent", "--data-dir", str(data_dir), "--bind", ""])
    try:
        until((data_dir / "agent.starting").exists, "the agent to begin")
        made = jobdeck(data_dir, "job", "create", "--name", "Hello", "--type", "command", "--set", "command=echo hello")
        added = jobdeck(data_dir, "connection", "add", "shop", "sqlite:////srv/shop.db")
        assert (made.returncode, added.returncode) == (0, 0), made.stderr + added.stderr
        assert agent.poll() is None
    finally:
        agent.kill()
        agent.wait()


def test_a_token_without_code_creates_no_command(data_dir: Path) -> None:
    with agent_process(data_dir, "--workers", "1") as agent, agent.client() as client:
        made = jobdeck(data_dir, "token", "create", "editor", "--scope", "edit", "--scope", "admin")
        job = {"name": "x", "type": "command", "data": {"command": "true"}}
        refused = client.post("/api/jobs", headers={"x-api-key": made.stdout.strip()}, json=job)
    assert refused.status_code == httpx.codes.FORBIDDEN
    assert "code" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("connection", "add", "x", "nonsense"), 2, "url"),
        (("job", "list"), 5, "jobdeck agent"),
        (("jub",), 2, "job"),
    ],
)
def test_what_is_refused_says_so_in_one_line(data_dir: Path, words: tuple[str, ...], code: int, told: str) -> None:
    done = jobdeck(data_dir, *words)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
