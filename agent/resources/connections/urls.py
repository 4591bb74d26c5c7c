"""Addresses of data sources: any SQLAlchemy URL, its kind, and its password kept apart from it."""

from __future__ import annotations

import re
from os.path import normpath
from pathlib import Path, PurePosixPath

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from shared.errors import InvalidInput

MASK = "•••"
FILE_KINDS = frozenset({"sqlite", "duckdb"})

_OF_A_PROCESS = ("/proc", "/dev", "/sys")
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "duckdb": "duckdb"}
_ALIASES = {"postgres": "postgresql", "sqlite3": "sqlite"}
_PASSWORD_OPTIONS = ("password", "passwd", "pwd")
_CREDENTIAL = re.compile(r"password|passwd|pwd|token|secret|api_?key", re.IGNORECASE)
_CREDENTIAL_IN_URL = re.compile(rf"([?&;][^=&;#]*(?:{_CREDENTIAL.pattern})[^=&;#]*=)[^&;#]*", re.IGNORECASE)
_FILES_HERE = frozenset(
    {"local_infile", "read_default_file", "read_default_group", "option_files", "option_groups", "default_file"}
    | {"default_group", "passfile", "service", "servicefile", "gssdelegation", "sslkeylogfile"}
)
"""Options by which a driver reads files of the agent's machine for the server (`local_infile`), gives it passwords or
tickets out of them, whatever server the URL names, or writes one (`sslkeylogfile`)."""
_PASSWORD_IN_URL = re.compile(r"(//[^:/@\s]*):.*@", re.DOTALL)
_EXAMPLES = "'postgresql://user@host/database', 'mysql://user@host/database', 'sqlite:////absolute/path.db'"


def parse_url(url: str) -> URL:
    """The parsed URL with Jobdeck's drivers filled in; InvalidInput on `url` says what would be right."""
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise InvalidInput.one("url", f"this is not the URL of a database; write {_EXAMPLES}", _shown(url)) from None
    kind = _ALIASES.get(parsed.drivername, parsed.drivername)
    parsed = parsed.set(drivername=_DRIVERS.get(kind, kind))
    _check_known(parsed, url)
    _check_options(parsed, url)
    if parsed.get_backend_name() in FILE_KINDS:
        _check_file(parsed, url)
    return parsed


def kind_of(url: str) -> str:
    """`sqlite`, `postgresql`, `mysql`, `mariadb`, `duckdb`, or the name of another SQLAlchemy dialect."""
    return parse_url(url).get_backend_name()


def split_credentials(url: str) -> tuple[str, str | None]:
    """(the URL without its password, the password or None); a password among the options is taken out too."""
    parsed = parse_url(url)
    password = parsed.password
    for option, value in parsed.query.items():
        if option.lower() in _PASSWORD_OPTIONS:
            password = password or (value if isinstance(value, str) else value[0])
            parsed = parsed.difference_update_query([option])
    return parsed._replace(password=None).render_as_string(hide_password=False), password or None


def join_credentials(url: str, password: str | None) -> str:
    """The URL with the password in it; the inverse of `split_credentials`."""
    parsed = parse_url(url)
    return (parsed._replace(password=password) if password else parsed).render_as_string(hide_password=False)


def check_file_outside(url: str, folder: Path) -> None:
    """InvalidInput on `url` for a file that lies in `folder`, by whatever links; and for one whose name means another
    file in each process."""
    parsed = parse_url(url)
    if parsed.get_backend_name() not in FILE_KINDS:
        return
    path = Path(normpath(parsed.database or ""))
    if Path(parsed.database or "").resolve().is_relative_to(folder.resolve()) or path.is_relative_to(folder):
        raise InvalidInput.one(
            "url", "this is a file of the agent's own, which no job works on; name another", _shown(url)
        )
    if any(path.is_relative_to(place) for place in _OF_A_PROCESS):
        raise InvalidInput.one("url", "this names no file on a disk; name one", _shown(url))


def without_password(text: str, url: URL) -> str:
    """`text` with the URL's password masked wherever it stands, as written or percent-encoded."""
    if url.password:
        encoded = url.render_as_string(hide_password=False).partition("://")[2].partition("@")[0].partition(":")[2]
        for secret in sorted({str(url.password), encoded}, key=len, reverse=True):
            text = text.replace(secret, MASK)
    return _shown(text)


def missing_driver(url: URL) -> str:
    """What to install, in words."""
    kind = url.get_backend_name()
    if extra := _EXTRAS.get(kind):
        return f"the driver for {kind} is not installed; run: pip install 'jobdeck[{extra}]'"
    return f"nothing that reads '{url.drivername}' is installed; install its SQLAlchemy dialect, or write {_EXAMPLES}"


def _check_known(parsed: URL, url: str) -> None:
    try:
        parsed.get_dialect()
    except (NoSuchModuleError, ImportError):
        raise InvalidInput.one("url", missing_driver(parsed), _shown(url)) from None


def _check_options(parsed: URL, url: str) -> None:
    """What would be shown as it is must be no credential; and nothing reads files here for a server elsewhere."""
    for option in parsed.query:
        if option.lower() in _FILES_HERE:
            message = f"the option {option!r} uses files of the agent's machine; write what it stands for into the URL"
            raise InvalidInput.one("url", message, _shown(url))
        if option.lower() not in _PASSWORD_OPTIONS and _CREDENTIAL.search(option):
            message = f"the option {option!r} would be shown to who sees the connection; only a password is kept apart"
            raise InvalidInput.one("url", message, _shown(url))


def _check_file(parsed: URL, url: str) -> None:
    path, kind = parsed.database or "", parsed.get_backend_name()
    if path in ("", ":memory:"):
        raise InvalidInput.one("url", f"a {kind} source is a file; write {kind}:////absolute/path", _shown(url))
    if not PurePosixPath(path).is_absolute():
        raise InvalidInput.one(
            "url",
            f"the path must be absolute, since jobs run elsewhere; write {kind}:////absolute/path/{path}",
            _shown(url),
        )


def _shown(url: str) -> str:
    return _CREDENTIAL_IN_URL.sub(rf"\1{MASK}", _PASSWORD_IN_URL.sub(rf"\1:{MASK}@", url))
