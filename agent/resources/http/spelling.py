"""How a URL and a header are written: what no request could be sent to is refused where it is written, not when it is due."""

from __future__ import annotations

import re

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|^ | $")
_SENDABLE = re.compile(r"[\t -~]*")


def check_spelling(url: str) -> None:
    """ValueError for characters that no URL has: some who read it leave them out, some take them for its end."""
    if found := _UNSENDABLE.search(url):
        where = f"{url[:200]!r} has {found[0]!r} as character {found.start() + 1}"
        raise ValueError(f"{where}, which no URL has; leave it out, or write it percent-encoded")


def check_prefix(header: str, text: str) -> None:
    """ValueError for what a header's value cannot begin with: a line end would begin another header."""
    if text[:1].isspace() or not _SENDABLE.fullmatch(text):
        what = f"{header} cannot be {text[:100]!r}"
        raise ValueError(f"{what}; write one line of ASCII characters, without a blank before it")


def check_value(header: str, text: str) -> None:
    """ValueError for what cannot be the whole value of one."""
    check_prefix(header, text)
    if text[-1:].isspace():
        raise ValueError(f"{header} cannot be {text[:100]!r}; leave out the blank after it")
