"""Typing as people do who know what comes: all signs at once, whatever each of them has yet to open. `\\r` is Enter,
`\\x11` Ctrl-Q, `\\x13` Ctrl-S, `\\x1b` Esc."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

_NAMES = {"\r": "enter", "\x11": "ctrl+q", "\x13": "ctrl+s", "\x1b": "escape"}


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Returns when all of it was taken in; a pilot's own `press` waits for an idle process after each sign."""
    driver = pilot.app._driver
    assert driver is not None
    for sign in text:
        key = events.Key(_name(sign), sign)
        key.set_sender(pilot.app)
        driver.send_message(key)
    await pilot.pause()


def _name(sign: str) -> str:
    if sign in _NAMES:
        return _NAMES[sign]
    return sign if sign.isalnum() else _character_to_key(sign)
