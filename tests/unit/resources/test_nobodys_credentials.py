"""A connection has what its user gave it, and nothing of the agent's own user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from agent.core.driving import DriverError
from agent.resources.connections import connect_args, naming_failures, open_source, parse_url
from agent.resources.datasets.targets import open_target

Given = Callable[[Path, pytest.MonkeyPatch], None]


def _pgpass(home: Path, patch: pytest.MonkeyPatch) -> None:
    _private(home / ".pgpass", "*:*:*:guarded:right\n")


def _named_pgpass(home: Path, patch: pytest.MonkeyPatch) -> None:
    _private(home / "elsewhere", "*:*:*:guarded:right\n")
    patch.setenv("PGPASSFILE", str(home / "elsewhere"))


def _password(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("PGPASSWORD", "right")


def _service(home: Path, patch: pytest.MonkeyPatch) -> None:
    _private(home / ".pg_service.conf", "[shop]\npassword=right\n")
    patch.setenv("PGSERVICE", "shop")


@pytest.fixture(params=[_pgpass, _named_pgpass, _password, _service])
def of_the_agents_user(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password where libpq looks for it by itself."""
    monkeypatch.setenv("HOME", str(tmp_path))
    request.param(tmp_path, monkeypatch)


@pytest.mark.usefixtures("of_the_agents_user")
@pytest.mark.parametrize("open_it", [open_source, open_target])
def test_a_password_of_the_agents_user_opens_nothing(
    guarded_postgres: str, open_it: Callable[[str], sa.Engine]
) -> None:
    psycopg.connect(guarded_postgres).close()  # libpq by itself does find it
    engine = open_it(guarded_postgres)
    with pytest.raises(DriverError, match="refuses access") as refused, naming_failures("shop", guarded_postgres):
        engine.connect()
    assert refused.value.kind == "source_refused"
    own = open_it(guarded_postgres.replace("guarded@", "guarded:right@"))
    with own.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_user")) == "guarded"
    own.dispose()


def test_only_the_url_says_where_to_and_with_which_keys(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / ".postgresql"
    keys.mkdir()
    _private(keys / "postgresql.crt", "the agent's")
    _private(keys / "postgresql.key", "the agent's")
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("PGHOSTADDR", "PGSSLCERT", "PGSSLKEY", "PGDATABASE", "PGREQUIREAUTH"):
        monkeypatch.setenv(variable, "wrong")
    engine = open_source(postgres_server)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        told = raw.info.get_parameters()
    engine.dispose()
    assert not (tmp_path / told["sslcert"]).exists()
    assert not (tmp_path / told["sslkey"]).exists()
    assert told["require_auth"] == "!gss,!sspi"
    assert told["host"] in postgres_server
    assert told["dbname"] == "postgres"


def test_what_the_url_says_is_left_to_it() -> None:
    own = parse_url("postgresql://u:p@h:1/d?sslcert=/own.crt&sslkey=/own.key&require_auth=gss&gssencmode=prefer")
    assert set(connect_args(own)) == {"connect_timeout", "application_name", "hostaddr", "passfile", "gssdelegation"}
    assert "password" not in connect_args(parse_url("mysql://u:p@h/d"))


def test_mysql_libraries_get_no_password_of_the_environment() -> None:
    assert connect_args(parse_url("mysql://u@h/d"))["password"] == ""


def _private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
