"""Which agent to talk to, and as whom."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from console.settings import Settings
from shared import places
from shared.errors import InvalidInput, JobdeckError
from shared.places import Environment


@dataclass(frozen=True, slots=True)
class Target:
    """An agent's address. `url` is the base of all routes; with a `socket` only its path part counts.

    `name` is what the operator calls it: the context's name, the host, or `local`.
    """

    name: str
    url: str
    socket: Path | None = None
    token: str | None = None
    colour: str | None = None

    @property
    def address(self) -> str:
        """Where it is, for sentences."""
        return f"the socket {self.socket}" if self.socket else self.url

    def __repr__(self) -> str:
        return f"Target({self.name!r}, {self.address!r})"  # the token stays out of logs and tracebacks


def resolve(environment: Environment, uid: int, settings: Settings | None = None, context: str | None = None) -> Target:
    """The agent to open: `context` (or JOBDECK_CONTEXT) by name, else JOBDECK_AGENT, else the settings' context, else
    the local socket.

    InvalidInput names the variable, the setting or the file that is wrong.
    """
    target, file = _find(environment, uid, settings or Settings(), context)
    return replace(target, token=_token(target, file, environment))


def resolve_address(environment: Environment, uid: int, settings: Settings | None = None) -> Target:
    """The same agent without a token: to get one."""
    return _find(environment, uid, settings or Settings(), None)[0]


def parse(field: str, text: str) -> Target:
    """A Target without a token from `https://host:port/base`, `/path/of/socket` or `unix:/path/of/socket`."""
    path = text.removeprefix("unix:")
    if path.startswith(("/", "~/")):
        return Target("local", "http://localhost", Path(path).expanduser())
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise InvalidInput.one(field, "write a URL as in https://host:8470, or the absolute path of a socket", text)
    if parts.username or parts.password:
        raise InvalidInput.one(field, "leave user and password out of it; the token belongs in JOBDECK_TOKEN")
    return Target(parts.netloc, text.rstrip("/"))


def read_token(path: Path) -> str:
    """The token in a file that only its owner may read. InvalidInput says what is wrong with it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one(str(path), f"the token cannot be read: {error}") from error
    if mode & 0o077:
        raise InvalidInput.one(str(path), f"others can read this token; say `chmod 600 {path}`", oct(mode & 0o777))
    return _checked(str(path), text)


def token_place(environment: Environment, settings: Settings | None = None, context: str | None = None) -> Path:
    """Where the token is kept that `resolve` finds: the context's own file, else the user's."""
    settings = settings or Settings()
    named = context or environment.get("JOBDECK_CONTEXT") or None
    chosen = named or (None if environment.get("JOBDECK_AGENT") else settings.context)
    file = settings.choose(chosen).token_file if chosen else None
    return Path(file).expanduser() if file else places.token_file(environment)


def write_token(path: Path, token: str) -> None:
    """For its owner alone from its first byte on; who reads it meanwhile reads the one before."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, places.SECRET_FILE_MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{token}\n")
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise InvalidInput.one(str(path), f"the token cannot be kept there: {error.strerror}") from error


def _find(environment: Environment, uid: int, settings: Settings, context: str | None) -> tuple[Target, Path | None]:
    """The agent, and the file of its token where the context names one."""
    context = context or environment.get("JOBDECK_CONTEXT") or None
    if context is None and environment.get("JOBDECK_AGENT"):
        return parse("JOBDECK_AGENT", environment["JOBDECK_AGENT"]), None
    name = context or settings.context
    if not name:
        return Target("local", "http://localhost", places.socket_path(places.data_dir(environment, uid))), None
    chosen = settings.choose(name)
    target = replace(parse(f"contexts.{name}.agent", chosen.agent), name=name, colour=chosen.colour)
    return target, Path(chosen.token_file).expanduser() if chosen.token_file else None


def _token(target: Target, file: Path | None, environment: Environment) -> str | None:
    if file is not None:
        return read_token(file)
    token = _token_from_environment(environment)
    return token if token or target.socket else _token_from_file(environment)


def _token_from_environment(environment: Environment) -> str | None:
    text = environment.get("JOBDECK_TOKEN", "").strip()
    return _checked("JOBDECK_TOKEN", text) if text else None


def _token_from_file(environment: Environment) -> str | None:
    """The user's own token, where there is one; a socket needs none."""
    try:
        path = places.token_file(environment)
    except JobdeckError:
        return None  # no home: then there is no such file
    return read_token(path) if "JOBDECK_TOKEN_FILE" in environment or path.exists() else None


def _checked(field: str, token: str) -> str:
    """Only what can stand in a header; the value itself is not repeated in the message."""
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise InvalidInput.one(field, "is not a token: one word of letters, digits and punctuation is")
