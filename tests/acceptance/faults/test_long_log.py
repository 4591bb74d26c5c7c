"""A run that says very many lines: written with flat memory, read and searched as if it were short."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.states import FINAL
from tests.acceptance.faults.memory import Memory
from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.long import size

LINES = size(5_000_000, full=20_000_000)
_LINE = "order %.0f from the shop at the corner: lamp 4710 packed, weighed and sent on its way to the customer"
_NEEDLE = "Lamp 4711 Is Not To Be Found"


@pytest.mark.soak
def test_a_log_of_gigabytes(tmp_path: Path) -> None:
    before = LINES * 95 // 100
    after = LINES - before - 3  # beside the one that is looked for, the exit status and what became of the attempt
    said = f"seq -f '{_LINE}' 1 {before}; echo '{_NEEDLE}'; seq -f '{_LINE}' 1 {after}; exit 3"
    with agent_process(tmp_path / "data", "--workers", "2") as agent:
        memory = Memory(agent)
        run = _start(agent, said)
        _took("written", lambda: _wait(agent, run, memory))
        memory.assert_flat()
        page = _took("last page", lambda: agent.call("GET", f"/api/runs/{run['id']}/log?start=-200&limit=200"))
        assert (page["total"], len(page["lines"])) == (LINES, 200)
        error = _took("first error", lambda: _found(agent, run, level="error"))
        assert error["number"] == page["firstError"] == LINES - 1
        for match_case in ("true", "false", "false"):
            text = _NEEDLE if match_case == "true" else _NEEDLE.upper()
            hit = _took(f"search, match case {match_case}", lambda: _found(agent, run, text=text, matchCase=match_case))  # noqa: B023
            assert (hit["number"], hit["text"]) == (before + 1, _NEEDLE)
        for _ in range(10):
            _search_and_leave(agent, run)
        assert _took("after ten that were left", lambda: _found(agent, run, level="error")) == error
        memory.assert_flat()


def _start(agent: AgentProcess, command: str) -> dict[str, Any]:
    data = {"command": command, "output_limit_mb": 1_000_000}
    job = agent.call("POST", "/api/jobs", {"name": "talkative", "type": "command", "data": data}, expect=201)
    run: dict[str, Any] = agent.call("POST", f"/api/jobs/{job['id']}")
    return run


def _wait(agent: AgentProcess, run: dict[str, Any], memory: Memory) -> None:
    def is_over() -> bool:
        memory.look()
        return agent.call("GET", f"/api/runs/{run['id']}")["state"] in FINAL

    until(is_over, "all lines are said", deadline=1800)


def _found(agent: AgentProcess, run: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    """The first hit, asked for answer by answer."""
    with agent.client() as client:
        while True:
            answer = client.get(f"/api/runs/{run['id']}/log/search", params=wanted).raise_for_status().json()
            if answer["hits"]:
                hit: dict[str, Any] = answer["hits"][0]
                return hit
            assert answer["next"] is not None, "it is not found"
            wanted["start"] = answer["next"]


def _search_and_leave(agent: AgentProcess, run: dict[str, Any]) -> None:
    with agent.client() as client, suppress(httpx.TimeoutException):
        client.get(f"/api/runs/{run['id']}/log/search", params={"text": "it is nowhere"}, timeout=0.05)


def _took(what: str, work: Callable[[], Any]) -> Any:
    began = time.monotonic()
    result = work()
    print(f"{what}: {time.monotonic() - began:.3f} s")
    return result
