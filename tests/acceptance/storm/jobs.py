"""The jobs of the storm, and the book that their programs keep of themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.harness.agent_process import AgentProcess

COMMANDS = {
    "allow": {"overlap": "allow", "on_lost": "fail", "catch_up": {"mode": "all"}},
    "queue": {"overlap": "queue_all", "on_lost": "retry", "catch_up": {"mode": "latest"}},
    "replace": {"overlap": "cancel_running", "on_lost": "retry", "catch_up": {"mode": "none"}},
}
"""What becomes of a fire while a run is active, of a run whose worker is lost, and of a fire that nobody was there for."""
_LASTS = {"allow": "0.2", "queue": "0.3", "replace": "1.2"}
_RETRY = {"attempts": 4, "backoff": "0.2 s", "max_backoff": "1 s"}

_PROGRAM = """
printf 'begin %s %s\\n' "$JOBDECK_RUN" "$JOBDECK_ATTEMPT" >> BOOK
mkdir -p SCRATCH/"$JOBDECK_RUN"
(setsid sleep 3600 > /dev/null 2>&1 &)
sleep LASTS
printf 'end %s %s\\n' "$JOBDECK_RUN" "$JOBDECK_ATTEMPT" >> BOOK
"""
"""It leaves a detached process behind, as programs do, and something in the folder that is its own while it runs."""


class Book:
    """What really ran: a line when a program begins, another when it is through."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begun(self) -> Counter[tuple[str, int]]:
        """(run, attempt): how often."""
        return self._lines("begin")

    def ended(self) -> Counter[tuple[str, int]]:
        return self._lines("end")

    def lines(self) -> list[tuple[str, str, int]]:
        """(begin or end, run, attempt), in the order in which they were written."""
        lines = (line.split() for line in self.path.read_text().splitlines()) if self.path.exists() else ()
        return [(said, run, int(attempt)) for said, run, attempt in lines]

    def _lines(self, word: str) -> Counter[tuple[str, int]]:
        return Counter((run, attempt) for said, run, attempt in self.lines() if said == word)


def publish_commands(agent: AgentProcess, book: Book) -> list[dict[str, Any]]:
    return [_publish(agent, _command(agent, name, book)) for name in COMMANDS]


def publish_sync(agent: AgentProcess, source: Path) -> dict[str, Any]:
    agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
    agent.call("POST", "/api/knowledge-bases", {"name": "orders_kb"}, expect=201)
    data = {
        "source_table": "shop.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "changed",
        "batch_size": 500,
    }
    policies = {"overlap": "skip", "retry": {**_RETRY, "attempts": 100}}
    return _publish(agent, {"name": "sync", "type": "kb-sync", "data": data, "policies": policies})


def _publish(agent: AgentProcess, job: dict[str, Any]) -> dict[str, Any]:
    every_second = {"intervalType": "simple", "interval": "1 second"}
    published: dict[str, Any] = agent.call("POST", "/api/jobs", {**every_second, **job}, expect=201)
    return published


def _command(agent: AgentProcess, name: str, book: Book) -> dict[str, Any]:
    scratch = str(agent.data_dir / "scratch")
    program = _PROGRAM.replace("BOOK", str(book.path)).replace("SCRATCH", scratch).replace("LASTS", _LASTS[name])
    policies = {**COMMANDS[name], "retry": _RETRY, "kill_grace": "1 s"}
    return {"name": name, "type": "command", "data": {"command": program}, "policies": policies}
