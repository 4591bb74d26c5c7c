"""What a sentinel says reaches whoever asks: the API, its events, the metrics, `explain`, the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.clock import ManualClock
from tests.functional.agent.life import Life
from tests.functional.agent.stage import NOON, Stage
from tests.harness.agent import RunningAgent, running_agent
from tests.harness.shell import Shell


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[RunningAgent]:
    async with running_agent(tmp_path / "data", clock=ManualClock(NOON)) as running:
        yield running


@pytest.fixture
async def life(agent: RunningAgent, tmp_path: Path) -> Life:
    """With a job whose last run took far too long."""
    assert isinstance(agent.clock, ManualClock)
    made = Life(Stage(agent.agent, agent.clock, tmp_path / "data"))
    await made.job("Orders")
    await made.regular()
    await made.run(400)
    return made


async def command(agent: RunningAgent, *words: str, code: int = 0) -> str:
    """Off the loop, on which the agent answers."""
    return await asyncio.to_thread(Shell(agent.socket.parent.parent), *words, code=code)


async def get(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_api_lists_it_until_it_is_over(agent: RunningAgent, life: Life) -> None:
    async with agent.local() as client:
        [one] = (await get(client, "/api/sentinels"))["items"]
        assert (one["kind"], one["jobName"], one["closedAt"]) == ("too_slow", "Orders", None)
        assert one["since"] < one["openedAt"]
        assert one["figures"] == {"observed": 400, "usual": 60, "limit": 120, "runs": 15}
        assert await get(client, f"/api/sentinels/{one['id']}") == one
        assert (await get(client, "/api/jobs/orders"))["sentinels"] == ["too_slow"]
        assert (await get(client, "/api/jobs"))["_embedded"]["inf:job"][0]["sentinels"] == ["too_slow"]
        assert (await get(client, "/api/sentinels?jobId=orders&kind=overdue"))["items"] == []
        await life.run()
        await life.run()
        assert (await get(client, "/api/sentinels"))["items"] == []
        assert (await get(client, "/api/jobs/orders"))["sentinels"] == []
        [over] = (await get(client, "/api/sentinels?state=all"))["items"]
        assert over["closedBecause"] == "The last 2 runs took as long as usual."


async def test_refusals(agent: RunningAgent, life: Life) -> None:
    async with agent.local() as client:
        for path, field in (("kind=loud", "kind"), ("state=half", "state"), ("limit=0", "limit"), ("x=1", "x")):
            answer = await client.get(f"/api/sentinels?{path}")
            assert answer.status_code == 400
            assert answer.json()["error"]["faults"][0]["field"] == field
        assert (await client.get("/api/sentinels/nobody")).status_code == 404
        assert (await client.get("/api/sentinels?jobId=nobody")).status_code == 404
    [one] = await life.listed()
    async with agent.tcp(await agent.token("read")) as reader:
        assert (await reader.get("/api/sentinels")).status_code == 200
        assert (await reader.post(f"/api/sentinels/{one.id}/_acknowledge")).status_code == 403
    async with agent.tcp() as nobody:
        assert (await nobody.get("/api/sentinels")).status_code == 401


async def test_the_event_is_told_once_with_all_of_it(agent: RunningAgent, life: Life) -> None:
    for _ in range(3):
        await life.look()
    [one] = await life.listed()
    told: list[Any] = []
    async with agent.local() as client, client.stream("GET", "/api/events?after=0") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: {"):
                told.append(json.loads(line.removeprefix("data: ")))
                if told[-1]["id"] == await agent.agent.sql.last_event_id():
                    break
    [event] = [each for each in told if each["kind"].startswith("sentinel.")]
    assert (event["kind"], event["subjectId"]) == ("sentinel.opened", one.id)
    assert event["data"] == one.model_dump(mode="json", by_alias=True)


async def test_the_metrics_count_it_and_who_knows(agent: RunningAgent, life: Life) -> None:
    async def counted(kind: str, known: str) -> str:
        async with agent.local() as client:
            text = (await client.get("/metrics")).text
        wanted = f'jobdeck_sentinels_open{{acknowledged="{known}",kind="{kind}"}} '
        return next(line.removeprefix(wanted) for line in text.splitlines() if line.startswith(wanted))

    assert (await counted("too_slow", "false"), await counted("overdue", "false")) == ("1.0", "0.0")
    async with agent.local() as client:
        answer = await client.post(f"/api/sentinels/{(await life.listed())[0].id}/_acknowledge")
        assert (answer.status_code, answer.json()["acknowledgedBy"]) == (200, "operator")
    assert (await counted("too_slow", "false"), await counted("too_slow", "true")) == ("0.0", "1.0")


async def test_explain_says_it(agent: RunningAgent, life: Life) -> None:
    async with agent.local() as client:
        told = await get(client, "/api/jobs/orders/explain")
    assert [each["kind"] for each in told["sentinels"]] == ["too_slow"]
    [sentence] = [each for each in told["sentences"] if "slow" in each]
    assert sentence.startswith("It is too slow since 2026-03-02 ")
    assert "A run took 6m 40s; usually it takes 1m (15 seen); more than 2m counts as too slow." in sentence
    assert sentence in await command(agent, "explain", "orders")


async def test_the_command_line(agent: RunningAgent, life: Life) -> None:
    [one] = await life.listed()
    table, listed, jobs, shown = await asyncio.gather(
        command(agent, "sentinel", "list"),
        command(agent, "sentinel", "list", "--json"),
        command(agent, "job", "list"),
        command(agent, "sentinel", "show", one.id),
    )
    assert "Orders" in table
    assert "too slow" in table
    assert "A run took 6m 40s" in table
    assert json.loads(listed) == [one.model_dump(mode="json", by_alias=True)]
    assert "on, too slow" in jobs
    assert "A run took 6m 40s" in shown
    known, loud, nobody = await asyncio.gather(
        command(agent, "sentinel", "acknowledge", one.id),
        command(agent, "sentinel", "list", "--kind", "loud", code=2),
        command(agent, "sentinel", "show", "nobody", code=3),
    )
    assert "operator" in known
    assert "kind" in loud
    assert "nobody" in nobody
    assert "operator knows" in await command(agent, "sentinel", "list", "--job", "orders")
    await life.run()
    await life.run()
    now, ever = await asyncio.gather(command(agent, "sentinel", "list"), command(agent, "sentinel", "list", "--all"))
    assert now == "every job behaves as usual\n"
    assert "closed" in ever
