"""The colours of each theme, by what they mean. Failed, late and cancelled also differ in glyph and letter."""

from __future__ import annotations

from console.render.look import Palette
from shared.states import RunState


def _palette(
    *, good: str, running: str, warning: str, bad: str, muted: str, accent: str, track: str, pending: str
) -> Palette:
    return Palette(
        states={
            RunState.PENDING: pending,
            RunState.RUNNING: running,
            RunState.RETRYING: warning,
            RunState.COMPLETED: good,
            RunState.FAILED: f"bold {bad}",
            RunState.CANCELLED: muted,
        },
        cancelling=f"bold {warning}",
        good=good,
        warning=warning,
        bad=bad,
        muted=muted,
        accent=accent,
        bar=running,
        track=track,
    )


DARK = _palette(
    good="#9ece6a", running="#4c9be8", warning="#e0af68", bad="#f7768e",
    muted="#8a90a0", accent="#e0af68", track="#3a3f4b", pending="#b7bcc8",
)  # fmt: skip
LIGHT = _palette(
    good="#2c6e1f", running="#1f5fa8", warning="#8a5a00", bad="#b3143c",
    muted="#5d636e", accent="#8a5a00", track="#c9c9c4", pending="#454a53",
)  # fmt: skip
CONTRAST = _palette(
    good="#5fff5f", running="#5fd7ff", warning="#ffff00", bad="#ff6e6e",
    muted="#ffffff", accent="#ffff00", track="#808080", pending="#ffffff",
)  # fmt: skip
TERMINAL = _palette(
    good="green", running="blue", warning="yellow", bad="red",
    muted="dim", accent="cyan", track="dim", pending="default",
)  # fmt: skip
