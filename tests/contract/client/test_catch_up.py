"""`jobdeck catch-up` against a real agent: what it says, and with which code."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from console.cli import main
from shared.errors import InvalidInput, JobdeckError
from tests.contract.api.test_catch_up import held
from tests.harness.agent import RunningAgent

Words = tuple[str, ...]


@pytest.fixture
async def waiting(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> RunningAgent:
    monkeypatch.setenv("JOBDECK_AGENT", str(agent.socket))
    await held(agent, "Orders", 1240)
    await held(agent, "Mails", 2)
    return agent


class Cli:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *words: str) -> str:
        assert await asyncio.to_thread(main, ["catch-up", *words]) == 0
        said = self._capsys.readouterr()
        # the agent, which runs in this process, logs to the same output
        return "".join(line for line in (said.out + said.err).splitlines(keepends=True) if "[info " not in line)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


async def test_from_the_list_to_the_decision(waiting: RunningAgent, cli: Cli) -> None:
    listed = await cli("list")
    assert "1,242 missed fires wait for you: release or discard them" in listed
    assert "orders  1,240" in listed
    assert await cli("release", "orders", "--latest", "--yes") == "1 released, 1,239 stood for by a later one\n"
    assert await cli("release", "orders", "--yes") == "no such fire waits\n"
    assert "1 released fire to go, at most 60 a minute" in await cli("list")
    await waiting.core.jobs.pause(waiting.core.gate.local(), "mails")
    said = await cli("release", "--all", "--yes")
    assert "2 fires of paused or disabled jobs wait on" in said
    assert "paused" in await cli("list")
    assert await cli("discard", "--all", "--yes") == "3 discarded\n"
    assert await cli("list") == "no missed fire waits\n"


async def test_json_is_what_the_api_answers(waiting: RunningAgent, cli: Cli) -> None:
    listed = json.loads(await cli("list", "--json"))
    assert (listed["waiting"], [item["slug"] for item in listed["items"]]) == (1242, ["orders", "mails"])
    until = (waiting.clock.now() - timedelta(minutes=2)).isoformat()
    done = json.loads(await cli("discard", "mails", "--until", until, "--yes", "--json"))
    assert done == {"released": 0, "coalesced": 0, "closed": 0, "discarded": 1, "left": 0}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("release", "--yes"), "name jobs, or give --all"),
        (("release", "orders", "--all", "--yes"), "not both"),
        (("discard", "orders", "--since", "yesterday", "--yes"), "--since"),
        (("discard", "orders", "--since", "2026-03-02T12:00", "--yes"), "with its zone"),
        (("discard", "orders", "--since", "2026-03-02T12:00Z", "--until", "2026-03-02T11:00Z", "--yes"), "--until"),
        (("release", "orders"), "--yes"),
        (("release", "nobody", "--yes"), "nobody"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_nothing_is_decided(
    waiting: RunningAgent, cli: Cli, words: Words, told: str
) -> None:
    with pytest.raises((InvalidInput, JobdeckError), match=told):
        await cli(*words)
    assert (await waiting.core.catching_up.standing(waiting.core.gate.local())).waiting == 1242
