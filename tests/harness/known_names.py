"""A world with something of every kind, and how it is called: so that made-up requests also meet what is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tests.harness.agent_process import AgentProcess

_CONNECTORS = "/v1/organizations/default/knowledge/connectors"


def furnish(agent: AgentProcess, folder: Path, copies: int) -> dict[str, list[Any]]:
    """By parameter of the API's paths, the names of what there is: so often that some is there to the end although
    others are deleted."""
    _make_shop(folder / "shop.db")
    numbers = range(copies)
    for number in numbers:
        url = f"sqlite:///{folder / 'shop.db'}"
        agent.call("POST", "/api/connections", {"name": f"shop{number}", "url": url})
        agent.call("POST", "/api/knowledge-bases", {"name": f"notes{number}"})
        agent.call("PUT", f"/api/secrets/word{number}", {"value": "a-word-that-is-secret"})
        agent.call("POST", "/api/users", {"handle": f"user{number}"})
        agent.call("POST", "/api/accounts", {"id": f"account{number}"})
        query = {"name": f"sold{number}", "connection": f"shop{number}", "query": "SELECT * FROM sold"}
        agent.call("POST", "/api/datasets", query)
    _ended(agent, [agent.call("POST", f"/api/datasets/sold{number}/_refresh") for number in numbers])
    jobs = [_make_job(agent, number) for number in numbers]
    runs = _ended(agent, [agent.call("POST", f"/api/jobs/{job}") for job in jobs])
    drafts = [agent.call("POST", f"/api/jobs/{job}/_edit")["id"] for job in jobs[: (copies + 1) // 2]]
    synced = [_make_synced(agent, number) for number in numbers]
    people = [f"user{number}" for number in numbers]
    keys = [f"{kind}{number}" for kind in ("shop", "notes", "sold") for number in numbers]
    return {
        "job_id": [*jobs, *drafts, *runs],
        "id": runs,
        "run_id": runs,
        "history_id": runs,
        "connection_id": synced,
        "source_id": [f"shop{number}" for number in numbers],
        "organization_id": ["default"],
        "key": [*keys, *people],
        "snapshot_id": [agent.call("GET", f"/api/datasets/sold{number}")["snapshot"]["id"] for number in numbers],
        "account_id": [f"account{number}" for number in numbers],
        "principal_id": [*people, "everyone"],
        "name": [f"word{number}" for number in numbers],
        "alias": ["sold"],
        "action_id": ["tell", "mail"],
        "attachment_id": ["terms", "log"],
        "revision": [1, 2],
        "other": [1, 2],
        "job_type": ["kb-sync", "command", "email"],
    }


def _make_shop(path: Path) -> None:
    with sqlite3.connect(path) as shop:
        shop.execute("CREATE TABLE sold (id INTEGER PRIMARY KEY, product TEXT, at TIMESTAMP)")
        shop.execute("INSERT INTO sold VALUES (1, 'lamp', '2026-01-01 00:00:00')")


def _make_job(agent: AgentProcess, number: int) -> str:
    name = f"called{number}"
    server = {"host": "smtp.example.org", "from": "jobs@example.org"}
    mail = {"to": "ops@example.org", "subject": "x", "text": "y", "server": server}
    files = [{"id": "terms", "type": "file", "name": "terms.pdf"}, {"id": "log", "type": "log", "name": "log.txt"}]
    url = "http://127.0.0.1:9/"  # refused at once: it is private
    actions: list[dict[str, Any]] = [
        {"id": "tell", "type": "webhook", "data": {"url": url, "json": {"text": "{{ job.name }}"}}},
        {"id": "mail", "type": "email", "data": mail, "attachments": files},
    ]
    sold = [{"alias": "sold", "datasetId": f"sold{number}"}]
    definition = {"name": name, "type": "api-call", "data": {"url": url}, "actions": actions, "datasets": sold}
    agent.call("POST", "/api/jobs", definition)
    agent.call("PUT", f"/api/jobs/{name}", definition | {"description": "revised"})
    return name


def _make_synced(agent: AgentProcess, number: int) -> str:
    streams = [{"table": "sold", "content_columns": ["product"], "filter_column": "at"}]
    sources = agent.call("GET", f"{_CONNECTORS}/sources")["data"]
    source = next(each["source_id"] for each in sources if each["name"] == f"shop{number}")
    given = {"name": f"synced{number}", "source_id": source, "configurations": {"streams": streams}, "status": "active"}
    return str(agent.call("POST", f"{_CONNECTORS}/connections", given)["connection_id"])


def _ended(agent: AgentProcess, runs: list[dict[str, Any]]) -> list[str]:
    for run in runs:
        agent.run_until(run["id"], "completed", "failed")
    return [run["id"] for run in runs]
