"""No colours and no theme from outside, and the fixed world on a real port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.console import fixed_agent
from tests.harness.stand_in import StandIn, serving


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "COLORTERM", "TERM_PROGRAM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def agent() -> Iterator[StandIn]:
    with serving(fixed_agent()) as agent:
        yield agent
