"""Addresses of sources, what they hold, and what their failures mean."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
import pymysql
import pytest
import sqlalchemy as sa

from agent.core.driving import DriverError
from agent.core.wire import ConnectionGrant
from agent.resources.connections import (
    find_table,
    join_credentials,
    kind_of,
    list_tables,
    naming_failures,
    open_source,
    split_credentials,
)
from agent.resources.connections.sources import SqlSources
from shared.errors import InvalidInput, NotFound, Unavailable


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
def test_who_listens_and_says_nothing_is_not_waited_for_without_end(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server of the other kind does: it waits to be spoken to."""
    for module in ("engine", "arguments"):
        monkeypatch.setattr(f"agent.resources.connections.{module}.CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{kind}://u@127.0.0.1:{silent.getsockname()[1]}/d"
        engine = open_source(url)
        with pytest.raises(DriverError, match="cannot be reached") as refused, naming_failures("shop", url):
            engine.connect()
    assert refused.value.transient


def test_a_server_that_has_spoken_may_take_as_long_as_it_takes() -> None:
    engine, connection = open_source("mysql://u@h/d"), pymysql.Connection(defer_connect=True, read_timeout=1)
    with suppress(pymysql.err.InterfaceError):  # it is not connected, and SQLAlchemy goes on
        engine.pool.dispatch.connect(connection, None)
    assert connection._read_timeout is None


@pytest.mark.parametrize(
    ("url", "stored", "password"),
    [
        ("postgresql://u:p%40ss@h:5432/d?sslmode=require", "postgresql+psycopg://u@h:5432/d?sslmode=require", "p@ss"),
        ("postgres://u@h/d?password=geheim", "postgresql+psycopg://u@h/d", "geheim"),
        ("mysql://u@h/d?PassWD=geheim&charset=utf8mb4", "mysql+pymysql://u@h/d?charset=utf8mb4", "geheim"),
        ("mysql://u:p:q@h/d", "mysql+pymysql://u@h/d", "p:q"),
        ("mariadb+pymysql://u@h/d", "mariadb+pymysql://u@h/d", None),
        ("sqlite:////data/x.db", "sqlite:////data/x.db", None),
        ("duckdb:////data/x.duckdb", "duckdb:////data/x.duckdb", None),
    ],
)
def test_password_is_split_off_and_joined_again(url: str, stored: str, password: str | None) -> None:
    assert split_credentials(url) == (stored, password)
    assert split_credentials(join_credentials(stored, password)) == (stored, password)


def test_kinds_have_names() -> None:
    urls = ["sqlite:////x", "postgresql://h/d", "mysql://h/d", "mariadb://h/d", "duckdb:////x", "oracle://h/d"]
    assert [kind_of(url) for url in urls] == ["sqlite", "postgresql", "mysql", "mariadb", "duckdb", "oracle"]


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("orders.db", "write 'postgresql://user@host/database'"),
        ("sqlite:///orders.db", "write sqlite:////absolute/path/orders.db"),
        ("sqlite://", "a sqlite source is a file"),
        ("duckdb:///:memory:", "a duckdb source is a file"),
        ("nosuch://u:s3cret@h/d", "nothing that reads 'nosuch' is installed"),
        ("http//u:s3cret@h", "this is not the URL of a database"),
        ("nosuch://h/d?password=s3cret", "nothing that reads 'nosuch' is installed"),
        ("postgresql://h/d?sslpassword=s3cret", "the option 'sslpassword' would be shown"),
        ("postgresql://h/d?oauth_client_secret=s3cret", "the option 'oauth_client_secret' would be shown"),
        ("duckdb:////x?Motherduck_Token=s3cret", "the option 'Motherduck_Token' would be shown"),
        ("mysql://h/d?local_infile=1&password=s3cret", "the option 'local_infile' uses files"),
        ("mysql://h/d?read_default_file=/root/.my.cnf", "the option 'read_default_file' uses files"),
        ("postgresql://h/d?PassFile=/root/.pgpass", "the option 'PassFile' uses files"),
        ("postgresql://h/d?service=shop", "the option 'service' uses files"),
        ("postgresql://h/d?gssdelegation=1", "the option 'gssdelegation' uses files"),
        ("postgresql://h/d?sslkeylogfile=/root/x", "the option 'sslkeylogfile' uses files"),
        ("mysql://h/d?option_files=/root/.my.cnf", "the option 'option_files' uses files"),
    ],
)
def test_wrong_urls_say_what_would_be_right_and_hide_passwords(url: str, right: str) -> None:
    with pytest.raises(InvalidInput, match=right) as refused:
        split_credentials(url)
    (fault,) = refused.value.faults
    assert fault.field == "url"
    assert fault.value == url.replace("s3cret", "•••")
    assert "s3cret" not in fault.message


def test_missing_driver_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from agent.resources.connections import open_source\n"
        "try: open_source('postgresql://h/d')\n"
        "except Exception as error: print(error.kind, error)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("driver_missing ")
    assert "pip install 'jobdeck[postgres]'" in said


def test_refused_password_is_permanent_and_hidden(guarded_postgres: str) -> None:
    url = guarded_postgres.replace("guarded@", "guarded:wr0ng-s3cret@")
    with pytest.raises(DriverError, match="refuses access") as refused, naming_failures("orders_db", url):
        open_source(url).connect()
    assert (refused.value.kind, refused.value.transient) == ("source_refused", False)
    assert "s3cret" not in refused.value.message
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_unreachable_server_is_transient_and_hides_the_password(kind: str) -> None:
    url = f"{kind}://u:s3cret@127.0.0.1:1/d"
    said = r"orders_db.*127\.0\.0\.1:1.*cannot be reached"
    with pytest.raises(DriverError, match=said) as refused, naming_failures("orders_db", url):
        open_source(url).connect()
    assert (refused.value.kind, refused.value.transient) == ("source_unreachable", True)
    assert "s3cret" not in refused.value.message


def test_a_mysql_server_is_quoted_in_words_with_its_number_behind_them() -> None:
    url, said = "mysql://u@127.0.0.1:1/d", r"cannot be reached: Can't connect .*refused\) \(2003\)$"
    with pytest.raises(DriverError, match=said), naming_failures("db", url):
        open_source(url).connect()


def test_missing_database_is_permanent(postgres_server: str) -> None:
    url = postgres_server.replace("/postgres?", "/nowhere?")
    with pytest.raises(DriverError, match="does not exist") as refused, naming_failures("db", url):
        open_source(url).connect()
    assert (refused.value.kind, refused.value.transient) == ("source_refused", False)


def test_duckdb_is_described_by_its_own_catalogue(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/x.duckdb"
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA other")
        connection.exec_driver_sql(
            "CREATE TABLE t (a INTEGER, b VARCHAR UNIQUE, c TIMESTAMPTZ, d BLOB, e INTEGER[], f UUID, PRIMARY KEY (a, c))"
        )
        connection.exec_driver_sql("CREATE TABLE other.u (n DECIMAL(10, 2) PRIMARY KEY)")
        connection.exec_driver_sql("CREATE VIEW v AS SELECT a FROM t")
    engine.dispose()
    source = open_source(url)
    assert list_tables(source) == ["other.u", "t", "v"]
    table = find_table(source, "t")
    assert table is not None
    assert table.primary_key == ("a", "c")
    assert table.unique == (frozenset({"b"}),)
    assert {name: column.kind for name, column in table.columns.items()} == {
        "a": "number", "b": "text", "c": "timestamp", "d": "opaque", "e": "opaque", "f": "other",
    }  # fmt: skip
    assert find_table(source, "main.t") == table
    other = find_table(source, "other.u")
    assert other is not None
    assert other.full_name == "other.u"
    assert find_table(source, "nope") is None
    source.dispose()


def test_postgres_is_described_with_views_and_partial_indexes(postgres_database: str) -> None:
    source = open_source(postgres_database)
    with source.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA other")
        connection.exec_driver_sql("CREATE TABLE other.u (id uuid PRIMARY KEY, j jsonb, at timestamptz)")
        connection.exec_driver_sql("CREATE TABLE t (a int, b text, n int)")
        connection.exec_driver_sql("CREATE UNIQUE INDEX ON t (b) WHERE a > 0")
        connection.exec_driver_sql("CREATE UNIQUE INDEX ON t (a, b)")
        connection.exec_driver_sql("CREATE MATERIALIZED VIEW m AS SELECT * FROM t")
        connection.exec_driver_sql('CREATE TABLE "with.dot" (id int PRIMARY KEY)')
    assert list_tables(source) == ["m", "other.u", "t", "with.dot"]
    table = find_table(source, "public.t")
    assert table is not None
    assert (table.full_name, table.unique) == ("t", (frozenset({"a", "b"}),))
    dotted = find_table(source, "with.dot")
    assert dotted is not None
    assert dotted.primary_key == ("id",)
    other = find_table(source, "other.u")
    assert other is not None
    assert [column.kind for column in other.columns.values()] == ["other", "opaque", "timestamp"]
    source.dispose()


async def test_sources_answer_the_core(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/x.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT)")
    grant = ConnectionGrant(id="1", name="orders_db", kind="sqlite", url=f"sqlite:///{tmp_path}/x.db")
    sources = SqlSources(tmp_path / "agent")
    assert sources.split("mysql://u:p@h/d") == ("mysql", "mysql+pymysql://u@h/d", "p")
    assert await sources.test(grant) == ["orders"]
    assert await sources.tables(grant, None) == [{"name": "orders"}]
    (table,) = await sources.tables(grant, "orders")
    assert table["columns"] == [
        {"name": "id", "type": "INTEGER", "primaryKey": True},
        {"name": "product", "type": "TEXT", "primaryKey": False},
    ]
    with pytest.raises(NotFound, match="no table 'nope'"):
        await sources.tables(grant, "nope")
    gone = grant.model_copy(update={"url": f"sqlite:///{tmp_path}/gone.db"})
    with pytest.raises(Unavailable, match="cannot be reached"):
        await sources.test(gone)
    assert not (tmp_path / "gone.db").exists()


@pytest.mark.parametrize(
    "path",
    [
        "{folder}/agent/jobdeck.db",
        "{folder}/elsewhere/../agent/knowledge/kb.sqlite",
        "{folder}/link/jobdeck.db",
        "{folder}/jobdeck.db",
        "/proc/self/cwd/jobdeck.db",
        "{folder}/../../../../../../../../proc/self/fd/7",
    ],
)
@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_the_agents_own_files_are_no_source(tmp_path: Path, kind: str, path: str) -> None:
    """They hold what belongs to every account; the path is looked at anew at each use."""
    for name in ("agent", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "agent" / "jobdeck.db").touch()
    sources = SqlSources(tmp_path / "agent")
    url = f"{kind}:///{path.format(folder=tmp_path)}"
    if path in ("{folder}/link/jobdeck.db", "{folder}/jobdeck.db"):
        assert sources.split(url)[0] == kind
    (tmp_path / "link").symlink_to(tmp_path / "agent")
    (tmp_path / "jobdeck.db").symlink_to(tmp_path / "agent" / "jobdeck.db")
    for ask in (lambda: sources.split(url), lambda: sources.join(url, None)):
        with pytest.raises(InvalidInput) as refused:
            ask()
        assert refused.value.faults[0].field == "url"
    assert sources.split(f"{kind}:///{tmp_path}/elsewhere/x.db")[0] == kind


def test_a_duckdb_file_shows_nothing_but_itself(tmp_path: Path) -> None:
    """A view in it may speak of other files: of the key of the secrets, say."""
    path, hidden = tmp_path / "x.duckdb", tmp_path / "hidden"
    hidden.write_text("hush")
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE TABLE orders AS SELECT 1 AS id")
        made.execute(f"CREATE VIEW stolen AS SELECT content FROM read_text('{hidden}')")
    engine = open_source(f"duckdb:///{path}")
    with engine.connect() as source:
        assert source.execute(sa.text("SELECT id FROM orders")).scalar_one() == 1
        for statement in ("SELECT content FROM stolen", "SET enable_external_access = true"):
            with pytest.raises(sa.exc.DBAPIError, match=r"Permission|configuration|access"):
                source.execute(sa.text(statement))
    engine.dispose()
