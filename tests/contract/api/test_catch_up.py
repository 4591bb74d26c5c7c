"""`/api/catch-up`: what waits, released and discarded, over both doors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.core.records import FireRow, SettledJob
from shared.models import FireOutcome, FireReason
from tests.harness.agent import NOW, RunningAgent

MINUTE = timedelta(minutes=1)


async def held(agent: RunningAgent, name: str, count: int) -> dict[str, Any]:
    """A job with missed fires that wait for an operator, one a minute until now."""
    async with agent.local() as client:
        body = {"name": name, "type": "command", "data": {"command": "true"}}
        job: dict[str, Any] = (await client.post("/api/jobs", json=body)).json()
    moments = [NOW - (count - number) * MINUTE for number in range(count)]
    rows = [FireRow(moment, FireOutcome.HELD, FireReason.AWAITING_OPERATOR) for moment in moments]
    await agent.core.store.settle([SettledJob(job["id"], job["version"], rows, NOW, None)], NOW)
    return job


async def test_what_waits_is_seen_released_and_discarded(agent: RunningAgent) -> None:
    one, two = await held(agent, "One", 3), await held(agent, "Two", 2)
    async with agent.local() as client:
        seen = (await client.get("/api/catch-up")).json()
        assert {name: seen[name] for name in ("waiting", "released", "threshold", "rate")} == {
            "waiting": 5, "released": 0, "threshold": 100, "rate": 60,
        }  # fmt: skip
        assert seen["items"][0] == {
            "jobId": one["id"], "jobName": "One", "slug": "one", "waiting": 3, "released": 0,
            "oldest": "2026-03-02T11:57:00Z", "newest": "2026-03-02T11:59:00Z", "stopped": None,
        }  # fmt: skip
        done = await client.post("/api/catch-up/_release", json={"jobs": ["one"], "take": "latest"})
        assert done.json() == {"released": 1, "coalesced": 2, "closed": 0, "discarded": 0, "left": 0}
        again = await client.post("/api/catch-up/_release", json={"jobs": [one["id"]]})
        assert set(again.json().values()) == {0}
        done = await client.post("/api/catch-up/_discard", json={"since": "2026-03-02T11:59:00Z"})
        assert done.json()["discarded"] == 2
        rows = (await client.get("/api/fires", params={"jobId": two["id"]})).json()["items"]
        assert [(row["outcome"], row["reason"], row["decidedBy"]) for row in rows] == [
            ("missed", "discarded", "operator"),
            ("held", "awaiting_operator", None),
        ]
        metrics = (await client.get("/metrics")).text
        assert 'jobdeck_held_fires{reason="awaiting_operator"} 1.0' in metrics
        assert 'jobdeck_held_fires{reason="awaiting_turn"} 0.0' in metrics
        told = (await client.get("/api/jobs/two/explain")).json()["sentences"]
        assert any(sentence.startswith("1 of its missed fires waits for an operator") for sentence in told)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"jobs": []}, "jobs"), ({"jobs": "one"}, "jobs"), ({"since": "yesterday"}, "since"), ({"who": 1}, "who"),
        ({"since": "2026-03-02T12:00:00Z", "until": "2026-03-02T11:00:00Z"}, "until"),
        ({"since": "2026-03-02T12:00:00"}, "since"), ({"take": "some"}, "take"),
    ],
)  # fmt: skip
async def test_a_choice_that_makes_no_sense_decides_nothing(
    agent: RunningAgent, body: dict[str, Any], field: str
) -> None:
    await held(agent, "One", 1)
    async with agent.local() as client:
        refused = await client.post("/api/catch-up/_release", json=body)
        assert refused.status_code == 400, refused.text
        assert field in refused.json()["error"]["faults"][0]["field"], refused.text
        assert (await client.post("/api/catch-up/_discard", json={"jobs": ["none"]})).status_code == 404
        assert (await client.get("/api/catch-up")).json()["waiting"] == 1


async def test_reading_needs_read_and_deciding_needs_run(agent: RunningAgent) -> None:
    await held(agent, "One", 1)
    async with agent.tcp(await agent.token("read")) as reader, agent.tcp(await agent.token("run")) as runner:
        assert (await reader.get("/api/catch-up")).json()["waiting"] == 1
        assert (await runner.get("/api/catch-up")).status_code == 403
        for act in ("_release", "_discard"):
            assert (await reader.post(f"/api/catch-up/{act}", json={})).status_code == 403
            assert (await runner.post(f"/api/catch-up/{act}", json={})).status_code == 200
    async with agent.tcp() as nobody:
        assert (await nobody.post("/api/catch-up/_release", json={})).status_code == 401
