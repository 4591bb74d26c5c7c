"""Names of attached files: one plain name, as every mail program and file system takes it."""

from __future__ import annotations

import unicodedata

from shared.errors import InvalidInput

LONGEST = 200
_RESERVED = frozenset('<>:"/\\|?*')


def attachment_name(name: str) -> str:
    """The name as names are compared. InvalidInput on `name`: a path, a control or a direction character, dots alone,
    or too long."""
    if len(name.encode("utf-8", "replace")) > LONGEST:
        raise InvalidInput.one("name", f"is longer than {LONGEST} bytes", name[:50])
    if any(letter in _RESERVED for letter in name):
        raise InvalidInput.one("name", 'is the name of a file, without a folder and without any of <>:"/\\|?*', name)
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in name):
        raise InvalidInput.one("name", "must not contain control characters or line ends", name)
    if not name.strip(". "):
        raise InvalidInput.one("name", "must have more than dots", name)
    return unicodedata.normalize("NFC", name).casefold()
