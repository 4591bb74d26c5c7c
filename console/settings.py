"""The console's settings: one TOML file, read before the first frame (so without pydantic).

```toml
theme = "dark"                        # dark, light, contrast, ansi
context = "staging"                   # the one that opens; without it the local agent

[keys]                                # act = key, or a list of keys
rerun = "R"

[contexts.staging]
agent = "https://jobs.staging.example"   # a URL, or the path of a socket
token_file = "~/.config/jobdeck/staging"
colour = "yellow"
```
The environment wins over the file: JOBDECK_AGENT and JOBDECK_TOKEN make a context of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import Fault, InvalidInput

THEMES = ("dark", "light", "contrast", "terminal")


@dataclass(frozen=True, slots=True)
class Context:
    """One agent to talk to. `agent` is a URL or the path of a socket."""

    name: str
    agent: str
    token_file: str | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    theme: str = "dark"
    context: str | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)

    def choose(self, name: str) -> Context:
        """The context of that name. InvalidInput names those that exist."""
        if name not in self.contexts:
            known = ", ".join(self.contexts) or "the settings have none"
            raise InvalidInput.one("context", f"there is no context '{name}' ({known})", name)
        return self.contexts[name]


def load(path: Path) -> Settings:
    """Read the file; a missing one means the defaults. InvalidInput names the file, the field and what would be right."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one(str(path), f"cannot be read: {error}") from error
    import tomllib  # the first frame waits for what a missing file does not need

    try:
        return parse(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput.one(str(path), f"is not TOML: {error}") from error
    except InvalidInput as error:
        raise InvalidInput([_inside(path, fault) for fault in error.faults]) from error


def parse(data: Mapping[str, Any]) -> Settings:
    """Check a settings mapping as a whole: all faults at once, unknown names refused."""
    faults: list[Fault] = _unknown_names("", data, ("theme", "context", "keys", "contexts"))
    theme = _text(data, "theme", "dark", faults)
    if theme not in THEMES:
        faults.append(Fault("theme", f"write one of {', '.join(THEMES)}", theme))
    contexts = {name: _context(name, each, faults) for name, each in _table(data, "contexts", faults).items()}
    chosen = _text(data, "context", None, faults)
    if chosen is not None and chosen not in contexts:
        faults.append(Fault("context", f"name one of the contexts: {', '.join(contexts) or 'there is none'}", chosen))
    keys = {act: _keys(act, each, faults) for act, each in _table(data, "keys", faults).items()}
    if faults:
        raise InvalidInput(faults)
    return Settings(theme or "dark", chosen, keys, contexts)


def _context(name: str, data: Any, faults: list[Fault]) -> Context:
    where = f"contexts.{name}"
    if not isinstance(data, dict):
        faults.append(Fault(where, "write a table with `agent`", data))
        return Context(name, "")
    faults += _unknown_names(f"{where}.", data, ("agent", "token_file", "colour"))
    agent = _text(data, "agent", None, faults, where)
    if not agent:
        faults.append(Fault(f"{where}.agent", "write a URL or the path of a socket", agent))
    token_file, colour = (_text(data, key, None, faults, where) for key in ("token_file", "colour"))
    return Context(name, agent or "", token_file, colour)


def _keys(act: str, value: Any, faults: list[Fault]) -> tuple[str, ...]:
    keys = [value] if isinstance(value, str) else value
    if isinstance(keys, list) and all(isinstance(key, str) and key for key in keys):
        return tuple(keys)
    faults.append(Fault(f"keys.{act}", 'write a key or a list of keys, as in "R" or ["R", "ctrl+r"]', value))
    return ()


def _text(data: Mapping[str, Any], key: str, default: str | None, faults: list[Fault], where: str = "") -> str | None:
    value = data.get(key, default)
    if value is None or isinstance(value, str):
        return value
    faults.append(Fault(f"{where}.{key}".lstrip("."), "write a text in quotes", value))
    return default


def _table(data: Mapping[str, Any], key: str, faults: list[Fault]) -> dict[str, Any]:
    value = data.get(key, {})
    if isinstance(value, dict):
        return value
    faults.append(Fault(key, f"write a table: [{key}]", value))
    return {}


def _unknown_names(prefix: str, data: Mapping[str, Any], known: tuple[str, ...]) -> list[Fault]:
    return [
        Fault(f"{prefix}{name}", f"is not a setting; there are {', '.join(known)}", value)
        for name, value in data.items()
        if name not in known
    ]


def _inside(path: Path, fault: Fault) -> Fault:
    return Fault(f"{path}: {fault.field}", fault.message, fault.value, fault.code)
