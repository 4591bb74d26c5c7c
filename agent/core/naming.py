"""Names that stand before a dot in `source_table`, in paths and in logs."""

from __future__ import annotations

import re

from shared.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def plain_name(name: str) -> str:
    """The name; InvalidInput on `name` if it is none."""
    if not _NAME.fullmatch(name):
        raise InvalidInput.one(
            "name", "letters, digits, '_' and '-', at most 100, beginning with a letter or digit", name
        )
    return name
