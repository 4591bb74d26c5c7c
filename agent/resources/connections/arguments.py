"""What drivers are told beside the URL: waits, and that nothing of the agent's own user is a source's credential.

Client libraries take what a URL does not say from where they run: libpq from `PG…` variables, `~/.pgpass`,
`pg_service.conf`, `~/.postgresql` and Kerberos tickets; the MySQL libraries in C from `MYSQL_PWD`. A connection is
somebody's, and that is the agent's: so all of it is said here, and says that there is none.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sqlalchemy.engine import URL

CONNECT_SECONDS = 10

_NO_FILE = "/dev/null/none"
"""Cannot be made by anybody. An empty name would mean the file that is looked for by default."""
_NOBODY_OF_LIBPQ = {
    "host": "",
    "hostaddr": "",
    "port": "",
    "dbname": "",
    "password": "",
    "passfile": _NO_FILE,
    "sslcert": _NO_FILE,
    "sslkey": _NO_FILE,
    "gssencmode": "disable",
    "gssdelegation": "0",
    "require_auth": "!gss,!sspi",
}
"""Not in it: what says whom to trust and how to encrypt (`PGSSLROOTCERT`, `PGSSLMODE`), which is rightly the machine's.
A service (`PGSERVICE`) only fills in what was not said."""
_SINCE = {"gssencmode": 120000, "gssdelegation": 160000, "require_auth": 160000}
"""The version of libpq that knows the option: an unknown one is an error."""


def connect_args(url: URL) -> dict[str, Any]:
    """What to hand the driver beside `url`, as SQLAlchemy's `connect_args`; what the URL says itself is left to it."""
    kind, driver = url.get_backend_name(), url.get_driver_name()
    if kind == "postgresql":
        waits = {"connect_timeout": CONNECT_SECONDS, "application_name": "jobdeck"}
        version = _libpq(driver)
        return waits if version is None else {**waits, **_nobody_of_libpq(url, version)}
    if kind in ("mysql", "mariadb"):
        said = url.password or {"password", "passwd"} & set(url.query)
        return {"connect_timeout": CONNECT_SECONDS, **({} if said else {"password": ""})}
    return {}


def _nobody_of_libpq(url: URL, version: int) -> dict[str, str]:
    said = {"host": url.host, "port": url.port, "dbname": url.database, "password": url.password}
    given = {name for name, value in said.items() if value} | set(url.query)
    known = {name for name in _NOBODY_OF_LIBPQ if version >= _SINCE.get(name, 0)}
    return {name: value for name, value in _NOBODY_OF_LIBPQ.items() if name in known - given}


def _libpq(driver: str) -> int | None:
    """Its version as PostgreSQL counts, 180006 being 18.6; None for a driver that does without it."""
    if driver == "psycopg":
        from psycopg import pq

        return pq.version()
    if driver == "psycopg2":
        version: int = import_module("psycopg2.extensions").libpq_version()
        return version
    return None
