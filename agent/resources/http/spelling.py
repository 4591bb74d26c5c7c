"""How a URL and a header are written: what no request could be sent to is refused where it is written, not when it is due."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]|^ | $")
_SENDABLE = re.compile(r"[\t -~]*")


def check_url(url: str) -> None:
    """ValueError for what no request could be sent to, whoever wrote it: a definition, or a server that redirects."""
    _check_characters(url)
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(f"{url!r} is not a URL; write one like https://example.org/path") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise ValueError(f"{url!r} is not a URL of http or https; write one like https://example.org/path")
    if not _is_reachable(url):
        message = f"{parts.hostname!r} is neither a host's name nor an address"
        raise ValueError(f"{message}; write one like example.org or 203.0.113.7")


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


def _check_characters(url: str) -> None:
    """Some who read them leave them out, some take them for the URL's end."""
    if found := _UNSENDABLE.search(url):
        where = f"{url[:200]!r} has {found[0]!r} as character {found.start() + 1}"
        raise ValueError(f"{where}, which no URL has; leave it out, or write it percent-encoded")


def _is_reachable(url: str) -> bool:
    """Not `0177.0.0.1`, which some read as an address, and some as another one; nor what no name server could be asked for
    (RFC 1035, 2.3.4)."""
    import httpx  # what only lists jobs does without

    try:
        read = httpx.URL(url)
        host = read.raw_host.decode("ascii") if read.host else ""
    except (httpx.InvalidURL, UnicodeError):  # the latter: no name of the internet's alphabet
        return False
    name = host.removesuffix(".")
    return ":" in name or (len(name) <= 253 and all(0 < len(label) <= 63 for label in name.split(".")))
