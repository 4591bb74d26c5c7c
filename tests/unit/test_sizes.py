from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sizes import format_size, parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64 MB", 64_000_000),
        ("1.5GB", 1_500_000_000),
        ("512 mib", 512 * 2**20),
        (" 10 kB ", 10_000),
        ("1 byte", 1),
        ("7 bytes", 7),
    ],
)
def test_amounts_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "64", "MB", "-1 MB", "64 M", "1e3 MB", "64 MB each"])
def test_what_is_no_amount_says_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and a unit, as in '64 MB'"):
        parse_size(text)


@given(st.integers(min_value=0, max_value=2**60))
def test_what_is_written_reads_the_same(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("size", "beside", "shown"),
    [
        (80_200_000, 64_000_000, "80 MB"),
        (1_540_000_000, 0, "1.5 GB"),
        (64_000_100, 64_000_000, "64.0001 MB"),
        (999, 0, "999 bytes"),
    ],
)
def test_a_figure_differs_from_the_one_beside_it(size: int, beside: int, shown: str) -> None:
    assert show_size(size, beside) == shown
