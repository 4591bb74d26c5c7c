"""Secrets kept out of what a run says: its log where it is stored; results, errors, warnings and notes before they leave the worker."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from agent.core.wire import Order

MASK = "•••"


class Masking:
    """Replaces every one of the hidden texts. One of several lines (a key file) is hidden line by line, as logs show it;
    its lines of fewer than 6 characters are left, for they may be any words."""

    def __init__(self, hidden: Sequence[str]) -> None:
        parts = {spelling for text in hidden for line in _parts(text) for spelling in _spelled(line)}
        # the longest first: one may contain another
        ordered = sorted(parts, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    @classmethod
    def of(cls, order: Order) -> Masking:
        """Everything secret that the order brings: its secrets and the passwords in its connections' URLs."""
        urls = [grant.url for grant in order.connections.values()]
        passwords = [spelling for url in urls for spelling in spellings(unquote(_password(url)), url)]
        return cls([*order.secrets.values(), *passwords])

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


def spellings(password: str, url: str) -> set[str]:
    """A password as it is, and as this URL and others write it."""
    return {password, quote(password), quote(password, safe=""), _password(url)} - {""}


def _spelled(line: str) -> set[str]:
    """As it is, and as JSON and URLs write it: what is asked often repeats it so."""
    in_json = {json.dumps(line, ensure_ascii=only_ascii)[1:-1] for only_ascii in (True, False)}
    return {line, *in_json, quote(line, safe="", errors="replace")}


def _parts(text: str) -> list[str]:
    lines = text.strip().splitlines()
    return [line for line in lines if line and (len(lines) == 1 or len(line.strip()) >= 6)]


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
