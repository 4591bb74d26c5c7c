"""The command line of the console, and what it and the environment say together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.client.target import Target, parse, resolve
from console.settings import THEMES, Settings, load
from shared import places
from shared.errors import InvalidInput

USAGE = """Usage: jobdeck [--agent URL|SOCKET] [--context NAME] [--view NAME] [--theme NAME]

Opens the console.

  --agent URL|SOCKET  the agent (default: JOBDECK_AGENT, else the settings' context, else the local agent)
  --context NAME      one of the settings' contexts
  --view NAME         what to show first (default: what was shown last): all, active, failed, pending, completed, cancelled, jobs, schedule, workers,
                      data, or audit
  --theme NAME        dark, light, contrast, terminal (its own sixteen colours)

Settings: ~/.config/jobdeck/console.toml. `?` in the console lists its keys."""

_WITH_VALUE = ("--agent", "--context", "--view", "--theme")
VIEWS = ("all", "active", "failed", "pending", "completed", "cancelled", "jobs", "schedule", "workers", "data", "audit")


@dataclass(frozen=True, slots=True)
class Options:
    settings: Settings
    target: Target
    theme: str
    view: str
    """Empty: what was shown last."""


def read(words: Sequence[str], environ: Mapping[str, str]) -> Options:
    """InvalidInput names the option, the variable or the setting that is wrong."""
    given = _parse(words)
    settings = load(places.console_config(environ))
    view = given.get("--view", "")
    if view and view not in VIEWS:
        raise InvalidInput.one("--view", f"write one of {', '.join(VIEWS)}", view)
    return Options(settings, _target(given, settings, environ), _theme(given, settings), view)


def _parse(words: Sequence[str]) -> dict[str, str]:
    """`--name value` and `--name=value`."""
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in _WITH_VALUE:
            raise InvalidInput.one(name, f"is not an option of the console; there are {', '.join(_WITH_VALUE)}", name)
        if not equals:
            if not rest:
                raise InvalidInput.one(name, "needs a value behind it")
            value = rest.pop(0)
        given[name] = value
    return given


def _target(given: Mapping[str, str], settings: Settings, environ: Mapping[str, str]) -> Target:
    if "--agent" in given:
        parse("--agent", given["--agent"])
        environ = {**environ, "JOBDECK_AGENT": given["--agent"]}
    return resolve(environ, os.geteuid(), settings, given.get("--context"))


def _theme(given: Mapping[str, str], settings: Settings) -> str:
    name = given.get("--theme", settings.theme)
    if name not in THEMES:
        raise InvalidInput.one("--theme", f"write one of {', '.join(THEMES)}", name)
    return name
