"""Secrets kept out of what a run says about itself: results, errors, warnings, notes. Log lines are masked where they are stored."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from agent.core.wire import Order

MASK = "•••"


class Masking:
    def __init__(self, hidden: list[str]) -> None:
        # the longest first: one may contain another
        ordered = sorted({text for text in hidden if text}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @classmethod
    def of(cls, order: Order) -> Masking:
        """Everything secret that the order brings: its secrets and the passwords in its connections' URLs."""
        passwords = [_password(grant.url) for grant in order.connections.values()]
        return cls([*order.secrets.values(), *passwords, *map(unquote, passwords)])

    def text(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON value with every string in it masked."""
        if self._pattern is None or value is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
