"""What is said when a job is published: parameters against the live source, every fault at its field."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.drivers.kb_reset.manifest import MANIFEST as RESET
from agent.drivers.kb_sync.manifest import MANIFEST as SYNC
from agent.drivers.kb_sync.run import check
from agent.resources.knowledge.sync.parameters import SyncParameters
from shared.errors import Fault, InvalidInput
from tests.contract.drivers.kb_world import KbWorld, world_on


@pytest.fixture(params=["sqlite", "postgresql", "duckdb"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with world_on(request.param, tmp_path, request) as world:
        world.create_orders()
        yield world


def faults(world: KbWorld, **data: Any) -> list[Fault]:
    parameters = SyncParameters.model_validate(dict(SYNC.template) | data)
    try:
        check(parameters, {"orders_db": world.grant}, {})
    except InvalidInput as refused:
        return list(refused.faults)
    return []


def test_right_parameters_pass(world: KbWorld) -> None:
    assert faults(world) == []
    assert faults(world, key_columns=["product"], attribute_columns=[], lag="1 hour", compare="full") == []


def test_missing_table_is_invalid_with_near_names(world: KbWorld) -> None:
    (fault,) = faults(world, source_table="orders_db.oders")
    assert (fault.field, fault.code, fault.value) == ("data.source_table", "invalid_table", "orders_db.oders")
    assert "did you mean 'orders'?" in fault.message


def test_every_unknown_column_is_a_fault_of_its_own(world: KbWorld) -> None:
    found = faults(
        world, content_columns=["product", "descripton", "zzz"], filter_column="update_at", key_columns=["Id"]
    )
    assert [(fault.field, fault.value, fault.code) for fault in found] == [
        ("data.content_columns", "descripton", "unknown_column"),
        ("data.content_columns", "zzz", "unknown_column"),
        ("data.filter_column", "update_at", "unknown_column"),
        ("data.key_columns", "Id", "unknown_column"),
    ]
    assert "did you mean 'description'" in found[0].message
    assert "it has id, product, description, price, updated_at" in found[1].message
    assert "did you mean 'updated_at'" in found[2].message
    assert "did you mean 'id'" in found[3].message


def test_table_without_a_key_names_the_option(world: KbWorld) -> None:
    world.execute("CREATE TABLE loose (a INTEGER, product TEXT, description TEXT, updated_at TIMESTAMP)")
    (fault,) = faults(world, source_table="orders_db.loose")
    assert (fault.field, fault.code) == ("data.key_columns", "missing_key")
    assert "name in key_columns" in fault.message


def test_lag_must_fit_the_filter_column(world: KbWorld) -> None:
    (fault,) = faults(world, lag=5)
    assert (fault.field, fault.value) == ("data.lag", 5)
    (fault,) = faults(world, lag="5 minutes", filter_column="price")
    assert fault.field == "data.lag"


def test_column_that_does_not_sort_is_refused(world: KbWorld) -> None:
    if world.kind == "sqlite":
        pytest.skip("every SQLite value sorts")
    type_ = "jsonb" if world.kind == "postgresql" else "INTEGER[]"
    world.execute(f"CREATE TABLE things (id INTEGER PRIMARY KEY, product TEXT, description TEXT, updated_at {type_})")
    (fault,) = faults(world, source_table="orders_db.things")
    assert (fault.field, fault.value) == ("data.filter_column", "updated_at")
    assert "take a timestamp, a date, a number or a text" in fault.message


def test_unreachable_source_is_an_inaccessible_table(tmp_path: Path) -> None:
    world = KbWorld(tmp_path, f"sqlite:///{tmp_path}/gone.db")
    (fault,) = faults(world)
    assert (fault.field, fault.code) == ("data.source_table", "invalid_table")
    assert "cannot be reached" in fault.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source_table": "orders"}, "'orders' is not '<connection>.<table>'"),
        ({"source_table": ".orders"}, "is not '<connection>.<table>'"),
        ({"content_columns": []}, "at least 1 item"),
        ({"content_columns": ["a", "a"]}, "names a column twice"),
        ({"lag": "soon"}, "'soon' is not a span of time"),
        ({"lag": -1}, "0 or more"),
        ({"batch_size": 0}, "greater than or equal to 1"),
        ({"compare": "some"}, "'watermark' or 'full'"),
        ({"filter": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_shapes_say_what_would_be_right(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SyncParameters.model_validate(dict(SYNC.template) | data)


def test_manifests_name_their_needs() -> None:
    for manifest in (SYNC, RESET):
        needs = manifest.needs(manifest.parameters.model_validate(manifest.template))
        assert (needs.connections, needs.knowledge_bases) == (("orders_db",), ("orders_kb",))
        assert manifest.repeat_safe
        assert not manifest.runs_programs
        manifest.parameters.model_json_schema()


def test_manifests_import_no_heavy_code() -> None:
    script = (
        "import sys, agent.drivers.kb_sync.manifest, agent.drivers.kb_reset.manifest\n"
        "print([name for name in ('sqlalchemy', 'numpy', 'wordllama', 'sqlite3', 'duckdb') if name in sys.modules])\n"
        "import agent.drivers.kb_sync.run\n"
        "print([name for name in ('numpy', 'wordllama', 'duckdb', 'psycopg') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n[]\n"
