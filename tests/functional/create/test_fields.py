"""What is typed in fields, and the forms that are made of schemas."""

from __future__ import annotations

from typing import Any

import pytest

from console.client.answers import DriverInfo
from console.screens.create.fields import Field, Kind, place_of, read, write
from console.screens.create.schema import fields_of
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "  ", None),
        ("text", " a b ", "a b"),
        ("number", "-7", -7),
        ("number", "0.5", 0.5),
        ("flag", "Yes", True),
        ("flag", "off", False),
        ("list", "a, b ,,c", ["a", "b", "c"]),
        ("list", "0, 75", [0, 75]),
        ("pairs", "A=1 B='x y' C=", {"A": "1", "B": "x y", "C": ""}),
        ("pairs", '{"A": {"secret": "key"}}', {"A": {"secret": "key"}}),
        ("any", "echo [hi]", "echo [hi]"),
        ("any", '["/bin/echo", "hi"]', ["/bin/echo", "hi"]),
        ("json", '{"a": [1]}', {"a": [1]}),
    ],
)  # fmt: skip
def test_what_is_typed_is_read(kind: Kind, text: str, value: Any) -> None:
    assert read(Field("data.x", "X", kind=kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("number", "many", "write a number"),
        ("flag", "perhaps", "write yes or no"),
        ("pairs", "A=1 loose", "'loose' is not NAME=value"),
        ("pairs", "A='open", "No closing quotation"),
        ("json", "{", "is not JSON"),
        ("any", "[1,", "is not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_field(kind: Kind, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(Field("data.x", "X", kind=kind), text)
    assert refused.value.faults[0].field == "data.x"
    assert said in refused.value.faults[0].message


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "yes"), (["a", 1], "a, 1"), ({"a": 1}, '{"a": 1}'), (5, "5")]
)
def test_values_are_written_as_one_would_type_them(value: Any, text: str) -> None:
    assert write(value) == text


def test_a_fault_belongs_to_the_narrowest_field_around_it() -> None:
    fields = [Field("data", "D"), Field("data.env", "E"), Field("data.environment", "N")]
    found = place_of("data.env.A", fields)
    assert found is not None
    assert found.key == "data.env"
    assert place_of("type", fields) is None


def test_a_schema_becomes_fields_the_needed_ones_first() -> None:
    driver = DriverInfo.model_validate(
        {
            "type": "thing",
            "schema": {
                "$defs": {"Level": {"enum": ["low", "high"], "type": "string"}},
                "properties": {
                    "count": {"type": "integer", "default": 3},
                    "level": {"$ref": "#/$defs/Level"},
                    "dry": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
                    "source_table": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "deep": {"type": "object"},
                },
                "required": ["level", "source_table"],
            },
        }
    )
    fields = fields_of(driver)
    assert [field.key for field in fields] == [
        "name", "connection", "data.source_table", "data.level", "data.count", "data.dry", "data.tags", "data.deep",
    ]  # fmt: skip
    by_key = {field.key: field for field in fields}
    assert [option.value for option in by_key["data.level"].options] == ["low", "high"]
    assert by_key["data.level"].is_required
    assert by_key["data.count"].hint == "3"
    assert [by_key[f"data.{name}"].kind for name in ("count", "dry", "tags", "deep")] == [
        "number", "flag", "list", "json",
    ]  # fmt: skip
