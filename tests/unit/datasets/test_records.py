"""What a file says, line by line, and what is wrong with it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.driving import DriverError
from agent.resources.datasets import records
from agent.resources.datasets.records import Bad, Record, read_csv, read_jsonl

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", " ", "a,b", ""]
)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6))
def test_it_reads_what_the_standard_library_writes(rows: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    names, found = read_csv(io.BytesIO(file.getvalue().encode()), ",")
    assert names == ["a", "b", "c"]
    assert [record.values for record in found if isinstance(record, Record)] == rows


def test_an_empty_field_is_null_and_a_quoted_one_is_not() -> None:
    _, found = read_csv(io.BytesIO(b'\xef\xbb\xbfa;b\r\n;""\r\n x ;"y;\r\nz"\r\n'), ";")
    assert list(found) == [Record(2, [None, ""]), Record(3, [" x ", "y;\r\nz"])]
    _, found = read_csv(io.BytesIO(b'a\n\n""\nx'), ",")
    assert [record.values for record in found if isinstance(record, Record)] == [[None], [""], ["x"]]


def test_more_columns_than_anybody_has_are_refused_at_once() -> None:
    wide = b",".join(b"c%d" % number for number in range(records.MOST_COLUMNS))
    assert len(read_csv(io.BytesIO(wide), ",")[0]) == records.MOST_COLUMNS
    with pytest.raises(DriverError, match=f"has {records.MOST_COLUMNS + 1} columns") as refused:
        read_csv(io.BytesIO(wide + b",one"), ",")
    assert refused.value.kind == "header"


def test_what_is_bad_has_its_line_and_its_reason() -> None:
    _, found = read_csv(io.BytesIO(b'a,b\n1\n1,2,3\n"x"y,2\n\xff,1\n"two\nlines",1\nthe,end\n'), ",")
    bad = {one.line: one.reason for one in found if isinstance(one, Bad)}
    assert bad == {
        2: "has 1 fields, the header has 2",
        3: "has 3 fields, the header has 2",
        4: "has a quote out of place in field 1",
        5: "is not UTF-8: invalid start byte at byte 1 of the record",
    }


def test_objects_are_taken_with_their_numbers_as_written() -> None:
    lines = b'{"a": 1.10, "b": 9007199254740993}\n\n[1]\n{"a": NaN}\n{"a"\n{"b": {"c": [1, null]}}\n'
    found = list(read_jsonl(io.BytesIO(lines)))
    assert found[0] == Record(1, {"a": Decimal("1.10"), "b": 2**53 + 1})
    assert [(one.line, one.reason.split(":")[0]) for one in found if isinstance(one, Bad)] == [
        (3, "is no JSON object"), (4, "is no JSON"), (5, "is no JSON"),
    ]  # fmt: skip
    assert found[-1] == Record(6, {"b": {"c": [1, None]}})


def test_a_record_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 100)
    _, found = read_csv(io.BytesIO(b'a\n"' + b"x\n" * 200), ",")
    with pytest.raises(DriverError, match="begins on line 2 is longer than 100 bytes; is a quote missing"):
        list(found)
    with pytest.raises(DriverError, match="line 1"):
        list(read_jsonl(io.BytesIO(b'{"a": "' + b"x" * 200)))


@pytest.mark.parametrize("content", [b"", b"\n", b'"a\n', b"a,,b\n1,2,3\n"])
def test_a_file_without_header_is_refused(content: bytes) -> None:
    with pytest.raises(DriverError) as refused:
        read_csv(io.BytesIO(content), ",")
    assert refused.value.kind == "header"
