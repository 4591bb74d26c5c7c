"""Typing as people do who know what comes: all signs at once, whatever each of them has yet to open."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot


async def type_text(pilot: Pilot[Any], text: str) -> None:
    """Returns when all of it was taken in; a pilot's own `press` waits for an idle process after each sign."""
    driver = pilot.app._driver
    assert driver is not None
    for sign in text:
        key = events.Key(sign if sign.isalnum() else _character_to_key(sign), sign)
        key.set_sender(pilot.app)
        driver.send_message(key)
    await pilot.pause()
