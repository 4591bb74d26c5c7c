"""Addresses of mail: `orders@example.org`, or `Orders <orders@example.org>`."""

from __future__ import annotations

import re
from email.headerregistry import Address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_PLAIN = re.compile(
    r"(?P<user>[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*)"
)
_NAMED = re.compile(r'"?(?P<name>[^"<>\r\n\0]*?)"?\s*<(?P<plain>[^<>]*)>')


def parse_address(text: str) -> Address:
    """ValueError that says what would be right."""
    named = _NAMED.fullmatch(text.strip())
    name, plain = (named["name"], named["plain"]) if named else ("", text.strip())
    match = _PLAIN.fullmatch(plain)
    if match is None or len(plain) > 254 or len(match["user"]) > 64:
        hint = "" if plain.isascii() else " in ASCII letters (write the domain as xn--…)"
        raise ValueError(f"{text[:100]!r} is no mail address; write one like orders@example.org{hint}")
    return Address(name.strip(), match["user"], match["domain"])


def _checked(text: str) -> str:
    parse_address(text)
    return text


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


MailAddress = Annotated[str, Field(max_length=500), AfterValidator(_checked)]
MailAddresses = Annotated[list[MailAddress], BeforeValidator(_as_list), Field(max_length=200)]
"""One, or a list of them."""
