"""What goes out of a table comes back into one as it was: every format, every engine, any value."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

from tests.contract.datasets.world import DataWorld, world_on
from tests.harness.long import examples

FORMATS = ["csv", "jsonl", "parquet"]
NAMES = ("n", "d", "x", "s", "b", "t", "z", "day", "yes")
TYPES = {
    "postgresql": (
        "bigint", "numeric(20, 6)", "double precision", "text", "bytea", "timestamp", "timestamptz", "date", "boolean",
    ),
    "duckdb": ("BIGINT", "DECIMAL(20, 6)", "DOUBLE", "VARCHAR", "BLOB", "TIMESTAMP", "TIMESTAMPTZ", "DATE", "BOOLEAN"),
    "sqlite": ("INTEGER", "DECIMAL(20, 6)", "REAL", "TEXT", "BLOB", "TIMESTAMP", "TIMESTAMP", "DATE", "BOOLEAN"),
}  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    [
        "",
        " ",
        "\n",
        "\r\n",
        "\r",
        '"',
        '""',
        ",",
        "NULL",
        "null",
        "\\N",
        "=1+1",
        "'",
        "a,b",
        "ä\u2028\U0001f600",
        "\\x00",
        "nan",
    ]
)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - the column has no zone
zones = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def values(kind: str) -> st.SearchStrategy[tuple[Any, ...]]:
    floats = st.floats(allow_nan=kind != "sqlite", allow_infinity=kind != "sqlite")
    decimals: st.SearchStrategy[Any] = st.decimals(-(10**13), 10**13, places=6)
    zoned: st.SearchStrategy[Any] = st.datetimes(
        datetime(2, 1, 1),  # noqa: DTZ001
        datetime(9998, 1, 1),  # noqa: DTZ001
        timezones=zones,
    ).map(lambda at: at.astimezone(UTC))
    parts: list[st.SearchStrategy[Any]] = [
        st.integers(-(2**63), 2**63 - 1), decimals, floats, texts, st.binary(max_size=20), moments, zoned,
        st.dates(), st.booleans(),
    ]  # fmt: skip
    if kind == "sqlite":  # as its own functions write them
        parts[1] = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
        parts[5], parts[6] = (part.map(lambda at: at.isoformat(" ")) for part in (moments, zoned))
        parts[7] = st.dates().map(date.isoformat)
        parts[8] = st.booleans().map(int)
    return st.tuples(*(st.none() | part for part in parts))


@pytest.fixture(params=sorted(TYPES), scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataWorld]:
    with world_on(request.param, tmp_path_factory.mktemp(request.param), request) as made:
        yield made


@pytest.fixture(scope="module")
def postgres_database(postgres_server: str) -> Iterator[str]:
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE round_trip")
        yield postgres_server.replace("/postgres?", "/round_trip?")
        admin.execute("DROP DATABASE round_trip WITH (FORCE)")


@pytest.mark.parametrize("format_", FORMATS)
@examples(3, HealthCheck.function_scoped_fixture, phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_export_and_import_give_the_same_table(world: DataWorld, format_: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(values(world.kind), min_size=1, max_size=8))
    put(world, rows)
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        world.roots = [folder]
        exported = world.run("export", table="src.orders", format=format_, file="out")
        assert exported["rowsExported"] == len(rows)
        imported = world.run("import", file="out", format=format_, table="src.back", batch_size=3)
    assert imported["rowsImported"] == len(rows), imported
    assert shown(world, "back") == shown(world, "orders")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_extremes_come_back(world: DataWorld, format_: str) -> None:
    rows = [
        (2**63 - 1, Decimal("9999999999999.999999"), 5e-324, "", b"", datetime(1, 1, 1), datetime(1, 1, 2, tzinfo=UTC), date.min, True),  # noqa: DTZ001
        (-(2**63), Decimal("-0.000001"), -1.7976931348623157e308, "\ufeff", b"\0\xff" * 100, datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(9999, 12, 31, tzinfo=UTC), date.max, False),  # noqa: DTZ001
        (None,) * 9,
    ]  # fmt: skip
    if world.kind == "sqlite":
        rows = [(n, float(d) if d is not None else None, x, s, b, None, None, None, None) for n, d, x, s, b, *_ in rows]
    put(world, rows)
    with tempfile.TemporaryDirectory(dir=world.folder) as folder:
        world.roots = [folder]
        world.run("export", table="src.orders", format=format_, file="out")
        world.run("import", file="out", format=format_, table="src.back")
    assert shown(world, "back") == shown(world, "orders")


def put(world: DataWorld, rows: list[tuple[Any, ...]]) -> None:
    """Into `orders`, made anew as `back` is."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in zip(NAMES, TYPES[world.kind], strict=True))
    for table in ("orders", "back"):
        world.execute(f"DROP TABLE IF EXISTS {table}")
        world.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {columns})")
    if world.kind == "duckdb":
        import duckdb

        with duckdb.connect(world.url.removeprefix("duckdb:///")) as connection:
            appender = connection.appender("orders")
            appender.append_rows([(place, *row) for place, row in enumerate(rows)])
            appender.flush()
        return
    names = ("id", *NAMES)
    given = [dict(zip(names, (place, *row), strict=True)) for place, row in enumerate(rows)]
    world.execute(f"INSERT INTO orders VALUES ({', '.join(f':{name}' for name in names)})", given)


def shown(world: DataWorld, table: str) -> list[tuple[Any, ...]]:
    """As the engine itself writes every value: its type and its text."""
    columns = {
        "sqlite": "typeof({0}), CASE WHEN typeof({0}) = 'blob' THEN hex({0}) ELSE quote({0}) END",
        "postgresql": "{0}::text",
        "duckdb": "{0}::VARCHAR",
    }[world.kind]
    return world.rows(f"SELECT id, {', '.join(columns.format(name) for name in NAMES)} FROM {table} ORDER BY id")
