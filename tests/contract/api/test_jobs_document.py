"""docs/api/jobs.md is true: its requests are sent, in their order, and its answers are given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.harness.agent_process import agent_process

PAGE = Path(__file__).parents[3] / "docs" / "api" / "jobs.md"
_EXCHANGE = re.compile(r"```http\n(?P<request>.*?)```\n```json (?P<status>\d+)\n(?P<answer>.*?)```", re.DOTALL)
_NAME = re.compile(r"\{([a-z]+)\}")


@dataclass
class Names:
    """What the names in braces stand for, learnt from the answers."""

    known: dict[str, str] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        return _NAME.sub(lambda name: self.known.get(name[1], name[0]), text)

    def agree(self, shown: Any, given: Any, place: str = "answer") -> None:
        """All that is shown is so; objects may hold more."""
        if isinstance(shown, dict):
            for name, value in shown.items():
                assert name in given, f"{place} has no {name}"
                self.agree(value, given[name], f"{place}.{name}")
        elif isinstance(shown, list):
            assert len(shown) == len(given), place
            for number, (one, other) in enumerate(zip(shown, given, strict=True)):
                self.agree(one, other, f"{place}.{number}")
        elif isinstance(shown, str):
            self._agree_text(shown, given, place)
        else:
            assert shown == given, place

    def _agree_text(self, shown: str, given: Any, place: str) -> None:
        if shown == "…":
            assert isinstance(given, str), place
            return
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if _NAME.fullmatch(part) else re.escape(part)
            for part in re.split(r"(\{[a-z]+\})", self.filled(shown))
        )
        found = re.fullmatch(pattern, str(given))
        assert found, f"{place}: {given!r} is not {self.filled(shown)!r}"
        self.known |= found.groupdict()


def test_every_request_of_the_page_is_answered_as_it_says(tmp_path: Path) -> None:
    exchanges = list(_EXCHANGE.finditer(PAGE.read_text()))
    assert len(exchanges) == PAGE.read_text().count("```http") > 15
    names = Names()
    with agent_process(tmp_path / "data") as agent:
        transport = httpx.HTTPTransport(uds=str(agent.socket))
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=90) as client:
            for exchange in exchanges:
                _try(client, names, exchange["request"], int(exchange["status"]), exchange["answer"])


def _try(client: httpx.Client, names: Names, request: str, status: int, shown: str) -> None:
    line, _, body = names.filled(request).partition("\n")
    method, path = line.split(" ", 1)
    content = json.dumps(json.loads(body)) if body.strip() else None
    answer = client.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, (line, answer.text)
    if shown.strip():
        names.agree(json.loads(shown), answer.json(), line)
