"""What commands print for people: in line, whatever the letters are."""

from __future__ import annotations

import pytest

from console.cli.output import Column, fit, say_table


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("orders", 8, "orders  "),
        ("orders", 4, "ord…"),
        ("漢字漢字", 6, "漢字… "),
        ("漢字漢字", 5, "漢字…"),
        ("a漢字", 3, "a… "),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
    ],
)
def test_a_cell_has_its_width_also_where_letters_are_wide(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


def test_columns_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    say_table([Column("JOB"), Column("IS")], [("漢字", "on"), ("plain job", "off")])
    assert capsys.readouterr().out == "JOB        IS\n漢字       on\nplain job  off\n"
