"""The terminal's clipboard, as OSC 52: it works over SSH, and through tmux where that lets it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping


def clipboard_sequence(text: str, environ: Mapping[str, str]) -> str:
    """What to write to the terminal. Inside tmux twice: for tmux itself, and passed through to the terminal around it."""
    plain = f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"
    if environ.get("TMUX"):
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("TERM", "").startswith("screen") and environ.get("STY"):
        return f"\x1bP{plain}\x1b\\"
    return plain
