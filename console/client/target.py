"""Which agent to talk to, and as whom."""

from __future__ import annotations

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
    settings = settings or Settings()
    context = context or environment.get("JOBDECK_CONTEXT") or None
    if context is None and environment.get("JOBDECK_AGENT"):
        return _with_token(parse("JOBDECK_AGENT", environment["JOBDECK_AGENT"]), environment)
    chosen = context or settings.context
    if chosen:
        return _from_context(settings, chosen, environment)
    socket = places.socket_path(places.data_dir(environment, uid))
    return Target("local", "http://localhost", socket, _token_from_environment(environment))


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


def _from_context(settings: Settings, name: str, environment: Environment) -> Target:
    context = settings.choose(name)
    target = replace(parse(f"contexts.{name}.agent", context.agent), name=name, colour=context.colour)
    if context.token_file:
        return replace(target, token=read_token(Path(context.token_file).expanduser()))
    return _with_token(target, environment)


def _with_token(target: Target, environment: Environment) -> Target:
    token = _token_from_environment(environment)
    return replace(target, token=token if token or target.socket else _token_from_file(environment))


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
