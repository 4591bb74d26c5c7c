"""The API is as it describes itself: schemathesis reads `/openapi.json` and tries what it says, and what it does not.

No answer is a failure of the agent, every status and body is declared, and no route forgets to ask who is calling.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.agent_process import AgentProcess, agent_process
from tests.harness.shell import Shell

EVERY_SCOPE = ("read", "edit", "run", "delete", "admin")
"""But `code`: what a fuzzer makes up is not to be run."""
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip
# Streams do not end by themselves; a token that revokes itself ends the test.
LEFT_OUT = r"/events$|/log/follow$|^/api/tokens/|^/api/auth/log"
EXAMPLES = os.environ.get("JOBDECK_FUZZ_EXAMPLES", "30")
SEED = os.environ.get("JOBDECK_FUZZ_SEED", "1")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AgentProcess, Shell]]:
    data = tmp_path_factory.mktemp("described") / "data"
    shell = Shell(data)
    environment = shell.environment | {"JOBDECK_REQUESTS_PER_MINUTE": "100000000"}
    with agent_process(data, env=environment) as started:
        shell("kb", "create", "notes")
        shell("job", "create", "--name", "Called", "--type", "api-call", "--set", "url=https://example.org/")
        yield started, shell


def test_the_description_is_true(agent: tuple[AgentProcess, Shell], tmp_path: Path) -> None:
    """A short look; `make soak` takes a long one."""
    said = _fuzz(agent, tmp_path, "--phases=fuzzing", "--max-examples=2", scopes=EVERY_SCOPE)
    assert _tried(said) > 50


@pytest.mark.soak
@pytest.mark.parametrize("scopes", [EVERY_SCOPE, ("read",)], ids=["admin", "reader"])
def test_the_description_is_true_wherever_one_looks(
    agent: tuple[AgentProcess, Shell], tmp_path: Path, scopes: tuple[str, ...]
) -> None:
    said = _fuzz(agent, tmp_path, f"--max-examples={EXAMPLES}", scopes=scopes)
    print(said[-1000:])
    assert _tried(said) >= 5000


def _fuzz(agent: tuple[AgentProcess, Shell], folder: Path, *options: str, scopes: tuple[str, ...]) -> str:
    started, shell = agent
    token = shell("token", "create", "fuzzer", *(word for scope in scopes for word in ("--scope", scope))).strip()
    found = re.search(r"http://127\.0\.0\.1:\d+", started.log.read_text())
    assert found is not None
    words = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{found[0]}/openapi.json", f"--header=Authorization: Bearer {token}",
        f"--checks={','.join(CHECKS)}", f"--exclude-path-regex={LEFT_OUT}", f"--seed={SEED}", "--continue-on-failure",
        "--no-color", *options,
    ]  # fmt: skip
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert started.process is not None
    assert started.process.poll() is None
    return done.stdout


def _tried(said: str) -> int:
    found = re.search(r"([\d,]+) generated", said)
    assert found is not None, said[-2000:]
    return int(found[1].replace(",", ""))
