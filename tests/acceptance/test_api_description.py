"""The API is as it describes itself: schemathesis reads `/openapi.json` and tries what it says, and what it does not.

No answer is a failure of the agent, every status and body is declared, and no route forgets to ask who is calling.
Most of the names that it tries are of what there is, so that it comes to where the work is done.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

from tests.harness.agent_process import AgentProcess, agent_process
from tests.harness.known_names import furnish
from tests.harness.long import is_soak, seed, size

EVERY_SCOPE = ("read", "edit", "run", "delete", "admin")
"""But `code`: what a fuzzer makes up is not to be run."""
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip
# Streams do not end by themselves; a token that revokes itself ends the test.
LEFT_OUT = r"/events$|/log/follow$|^/api/tokens/|^/api/auth/log"
EXAMPLES = size(15, full=30)
KNOWN = 0.8
"""So often a name is one that there is."""


@dataclass
class Described:
    agent: AgentProcess
    settings: Path
    """Of schemathesis: the names that there are, by parameter."""


@pytest.fixture
def described(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Described]:
    data = tmp_path / "data"
    with agent_process(data, env={"JOBDECK_REQUESTS_PER_MINUTE": "100000000"}) as agent:
        names = furnish(agent, tmp_path, getattr(request, "param", 1))
        settings = tmp_path / "schemathesis.toml"
        bound = {f"path.{name}": {"dictionary": name, "probability": KNOWN} for name in names}
        dictionaries = {name: {"values": values} for name, values in names.items()}
        settings.write_text(tomli_w.dumps({"dictionaries": dictionaries, "parameters": bound}))
        yield Described(agent, settings)


def test_the_description_is_true(described: Described) -> None:
    """A short look; `make soak` takes a long one."""
    said = _fuzz(described, "--phases=fuzzing", "--max-examples=2", scopes=EVERY_SCOPE)
    assert _tried(said) > 50


@pytest.mark.soak
@pytest.mark.parametrize("described", [6], indirect=True, ids=["furnished"])
@pytest.mark.parametrize("scopes", [EVERY_SCOPE, ("read",)], ids=["admin", "reader"])
def test_the_description_is_true_wherever_one_looks(described: Described, scopes: tuple[str, ...]) -> None:
    said = _fuzz(described, f"--max-examples={EXAMPLES}", scopes=scopes)
    print(said[-4000:])
    assert _tried(said) >= 2000


def _fuzz(described: Described, *options: str, scopes: tuple[str, ...]) -> str:
    agent = described.agent
    words = [
        str(Path(sys.executable).with_name("schemathesis")), f"--config-file={described.settings}", "--no-color",
        "run", f"{agent.url}/openapi.json", f"--header=Authorization: Bearer {agent.token(*scopes)}",
        f"--checks={','.join(CHECKS)}", f"--exclude-path-regex={LEFT_OUT}", f"--seed={seed('described') if is_soak() else 1}", "--continue-on-failure", *options,
    ]  # fmt: skip
    folder = described.settings.parent
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert agent.process is not None
    assert agent.process.poll() is None
    return done.stdout


def _tried(said: str) -> int:
    found = re.search(r"([\d,]+) generated", said)
    assert found is not None, said[-2000:]
    return int(found[1].replace(",", ""))
