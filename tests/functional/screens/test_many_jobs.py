"""More jobs than a page has: names, filters, figures and jumps are those of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.pty_app import PtyApp, start_warm

JOBS = 280
_LAST = "zz the last"
_LATE = 60
"""Jobs behind the first page that have run, too: more than are asked for at once."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    """By name the last job is not among the first two hundred; it alone has run."""
    with agent_process(tmp_path_factory.mktemp("many") / "data") as agent, agent.client() as client:
        for number in range(JOBS - 1):
            job = {
                "name": f"job {number:03}", "type": "command", "data": {"command": ["true"]}, "interval": "0 3 * * *",
                "enabled": number != JOBS - 2, "tags": ["late"] if number >= JOBS - 1 - _LATE else [],
            }  # fmt: skip
            made = client.post("/api/jobs", json=job)
            assert made.status_code == 201
            if job["tags"]:
                assert client.post(f"/api/jobs/{made.json()['id']}").status_code == 202
        once = {"name": _LAST, "type": "command", "data": {"command": ["false"]}, "tags": ["urgent"], "interval": "1 s"}
        last = agent.call("POST", "/api/jobs", {**once, "policies": {"overlap": "allow"}}, expect=201)
        until(lambda: agent.call("GET", f"/api/runs?filter=job:{last['slug']}")["items"], "it runs")
        agent.call("POST", f"/api/jobs/{last['id']}/_pause")
        until(lambda: agent.call("GET", "/api/runs/counts")["counts"].get("completed") == _LATE, "the others have run")
        yield agent


@pytest.fixture
def console(agent: AgentProcess, tmp_path: Path) -> Iterator[PtyApp]:
    environment = {
        "JOBDECK_AGENT": str(agent.socket), "HOME": str(tmp_path), "LANG": "C.UTF-8", "XDG_CONFIG_HOME": "",
    }  # fmt: skip
    with start_warm((), (100, 30), environment) as app:
        app.read_until(lambda: "live" in app.rows[0])
        yield app


def test_the_tabs_count_all_jobs_and_follow_them(console: PtyApp, agent: AgentProcess) -> None:
    console.send("2")
    console.read_until(lambda: f"All  {JOBS}  Scheduled {JOBS - 2}  Paused 1  Disabled 1" in console.rows[1])
    agent.call("POST", "/api/jobs/job-210/_pause")
    console.read_until(lambda: f"Scheduled {JOBS - 3}  Paused 2  Disabled 1" in console.rows[1])
    agent.call("POST", "/api/jobs/job-210/_resume")
    console.read_until(lambda: f"Scheduled {JOBS - 2}  Paused 1  Disabled 1" in console.rows[1])


def test_the_ledger_says_names(console: PtyApp) -> None:
    console.send("3")
    console.read_until(lambda: "started" in console.text and _LAST in console.text)


@pytest.mark.parametrize("where", ["tag:urgent", "owner:operator", "job:zz-the-last", "-tag:calm owner:operator"])
def test_runs_are_found_by_what_only_their_job_says(console: PtyApp, where: str) -> None:
    console.send(f"/{where}\r")
    console.read_until(lambda: f"/{where}" in console.rows[1] and any(_LAST in row for row in console.rows[3:]))


def test_so_are_runs_of_more_jobs_than_are_asked_for_at_once(console: PtyApp) -> None:
    oldest = JOBS - 1 - _LATE
    console.send(f"/tag:late job:job-{oldest}\r")
    console.read_until(lambda: f"job:job-{oldest}" in console.rows[1] and f"job {oldest}" in console.rows[3])


def test_a_job_is_found_and_led_to(console: PtyApp) -> None:
    console.send(":job zz")
    console.read_until(lambda: "job zz-the-last" in console.text)
    console.send("\r")
    console.read_until(lambda: "/slug:zz-the-last" in console.rows[1] and _LAST in console.text)
    console.send("d")
    console.read_until(lambda: "urgent" in console.text)


def test_a_part_is_not_called_all(console: PtyApp) -> None:
    console.send("3")
    console.read_until(lambda: "Ledger" in console.rows[1])
    console.send("\x1b[Z\x1b[Z")  # backwards, past what speaks
    console.read_until(lambda: "Upcoming  200+" in console.rows[1])
