"""Each half loads what is its own, and nothing of the other."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CONSOLE_NEVER = {"agent", "sqlalchemy", "fastapi", "uvicorn", "croniter", "numpy", "alembic", "shared.schedule"}
AGENT_NEVER = {"console", "textual"}


def loaded_by(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd="/")
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_console_loads_nothing_of_the_agent() -> None:
    assert not CONSOLE_NEVER & loaded_by("import console.app")


def test_the_console_paints_before_it_loads_the_client() -> None:
    assert "httpx" not in loaded_by("import console.app")


def test_the_agent_loads_nothing_of_the_console() -> None:
    assert not AGENT_NEVER & loaded_by("import agent.app, agent.cli.commands, agent.cli.foreground")


def test_the_agent_knows_drivers_without_their_code() -> None:
    modules = loaded_by("import agent.app; from agent.drivers.registry import DriverRegistry; DriverRegistry().list()")
    assert "agent.drivers.kb_sync.manifest" in modules
    assert not {"numpy", "wordllama"} & modules


@pytest.mark.parametrize("package", ["agent", "console", "shared"])
def test_shared_stands_alone(package: str) -> None:
    modules = loaded_by("import shared.models, shared.states, shared.filters, shared.errors, shared.clock")
    assert package == "shared" or package not in modules
