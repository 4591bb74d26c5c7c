"""Themes: dark, light, high contrast, and the terminal's own sixteen colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.filter import Monochrome, NoColor
from textual.theme import BUILTIN_THEMES, Theme

from console.render.look import ASCII, UNICODE, Glyphs, Look
from console.theme_palettes import CONTRAST, DARK, LIGHT, TERMINAL

DEFAULT = "dark"
PALETTES = {"dark": DARK, "light": LIGHT, "contrast": CONTRAST, "terminal": TERMINAL}
_PREFIX = "jobdeck-"
_NO_UTF8 = ("C", "POSIX")

_TERMINAL_VARIABLES = {
    "ansi-background": "ansi_default",
    "ansi-foreground": "ansi_default",
    "text-muted": "ansi_default",
    "border": "ansi_default",
    "block-cursor-blurred-background": "ansi_default",
}
"""Whether the terminal is dark or light is not known: what has to stand out is reversed, not coloured."""

THEMES = (
    Theme(
        "jobdeck-dark",
        primary="#4c9be8", secondary="#3a6ea5", accent="#e0af68", warning="#e0af68", error="#f7768e", success="#9ece6a",
        foreground="#d5d8e0", background="#14161b", surface="#1a1d24", panel="#22262f",
        variables={"block-cursor-blurred-background": "#2b3a55"},
    ),
    Theme(
        "jobdeck-light", dark=False,
        primary="#1f5fa8", secondary="#3a6ea5", accent="#8a5a00", warning="#8a5a00", error="#b3143c", success="#2c6e1f",
        foreground="#1d2026", background="#fbfbfa", surface="#f2f2f0", panel="#e6e6e3",
        variables={"block-cursor-blurred-background": "#cfe0f5"},
    ),
    Theme(
        "jobdeck-contrast",
        primary="#5fd7ff", secondary="#5fd7ff", accent="#ffff00", warning="#ffff00", error="#ff6e6e", success="#5fff5f",
        foreground="#ffffff", background="#000000", surface="#000000", panel="#000000", text_alpha=1.0,
        variables={
            "block-cursor-blurred-background": "#0000d7",
            "text-muted": "#ffffff",
            "border": "#ffffff",
        },
    ),
    Theme(
        "jobdeck-terminal", ansi=True,
        primary="ansi_blue", secondary="ansi_cyan", accent="ansi_cyan", warning="ansi_yellow", error="ansi_red",
        success="ansi_green", foreground="ansi_default", background="ansi_default", surface="ansi_default",
        panel="ansi_default", boost="ansi_default",
        variables=BUILTIN_THEMES["ansi-dark"].variables | _TERMINAL_VARIABLES,
    ),
)  # fmt: skip


def add_themes(app: App[Any]) -> None:
    for theme in THEMES:
        app.register_theme(theme)


def use_theme(app: App[Any], name: str) -> None:
    """Paint `app` in one of PALETTES; `add_themes` comes first."""
    app.theme = _PREFIX + name
    if app.no_color:
        # Textual chose when the app was made, before it had a theme: shades of grey, which are colours too.
        app._filters = [NoColor() if isinstance(each, Monochrome) else each for each in app._filters]


def choose_theme(wanted: str | None, environ: Mapping[str, str]) -> str:
    """The name to use: NO_COLOR (any value but an empty one) leaves the terminal's own, without its colours."""
    if environ.get("NO_COLOR"):
        return "terminal"
    if wanted is None:
        return DEFAULT
    if wanted not in PALETTES:
        raise ValueError(f"there is no theme {wanted!r}; there are {', '.join(PALETTES)}")
    return wanted


def choose_glyphs(environ: Mapping[str, str]) -> Glyphs:
    """ASCII where the locale or the terminal has nothing else."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return ASCII if environ.get("TERM") == "linux" or locale in _NO_UTF8 else UNICODE


def look_of(theme: str, glyphs: Glyphs = UNICODE) -> Look:
    """What render functions need to know of a theme."""
    return Look(PALETTES[theme], glyphs)
