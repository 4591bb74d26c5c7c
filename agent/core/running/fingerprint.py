"""One word for one cause: errors that differ only in numbers, ids, paths or quoted values get the same fingerprint."""

from __future__ import annotations

import hashlib
import re

_LENGTH = 500
"""Characters of the normalised message that count."""

# in this order: what comes first may contain what comes later
_RULES = [
    (re.compile(r"\x1b\[[0-9;]*[A-Za-z]"), ""),
    (re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"]+"), "<url>"),
    (re.compile(r"'(?:[^'\\\n]|\\.)*'(?!\w)|\"(?:[^\"\\\n]|\\.)*\"|`[^`\n]*`|«[^»\n]*»|“[^”\n]*”"), "<value>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"(?<![\w<])(?:[A-Za-z]:\\|~?/|\.{1,2}/)[^\s:,;()\[\]'\"<>]+"), "<path>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<n>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"), "<n>"),
    (re.compile(r"\d+(?:[.,:_T-]\d+)*(?:Z\b)?"), "<n>"),
    (re.compile(r"\s+"), " "),
]


def fingerprint(type_: str, kind: str, message: str) -> str:
    """16 hexadecimal digits, the same on every machine and in every release, for the job type, the error's kind and its cause."""
    parts = "\0".join((type_, kind, normalise(message)))
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:16]


def normalise(message: str) -> str:
    """The message with everything that varies from case to case replaced: `row 17 of '/tmp/a'` -> `row <n> of <value>`."""
    for pattern, stand_in in _RULES:
        message = pattern.sub(stand_in, message[: _LENGTH * 8])
    return message.strip()[:_LENGTH]
