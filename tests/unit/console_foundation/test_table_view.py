"""The cursor, the marks and the scroll belong to ids."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from console.widgets.table.order import HELD_LIMIT, Order
from console.widgets.table.source import ListSource
from console.widgets.table.view import View


def source_of(ids: Iterable[str]) -> ListSource:
    return ListSource(ids, lambda row_id: [row_id])


def view_of(ids: str, height: int = 5, *, on: str | None = None) -> tuple[View, ListSource]:
    source = source_of(ids)
    view = View(source)
    view.resize(height)
    if on is not None:
        assert view.move_to(on)
    return view, source


def change(view: View, source: ListSource, ids: str) -> str:
    source.replace(ids)
    view.settle()
    return shown(view)


def shown(view: View) -> str:
    return "".join(row_id or "?" for row_id in view.window)


def test_rows_above_push_neither_cursor_nor_scroll() -> None:
    view, source = view_of("abcdefgh", on="c")
    assert change(view, source, "XYabcdefgh") == "abcde"
    assert (view.cursor_id, view.cursor_line) == ("c", 2)


def test_sorting_takes_the_scroll_along_with_the_cursor() -> None:
    view, source = view_of("abcdefgh", on="b")
    assert change(view, source, "hgfedcba") == "edcba"
    assert view.cursor_id == "b"


def test_a_row_that_leaves_stays_until_the_cursor_moves() -> None:
    view, source = view_of("abcdefgh", on="c")
    assert change(view, source, "abdefgh") == "abcde"
    assert view.order.is_gone("c")
    view.move_by(1)
    assert (shown(view), view.cursor_id) == ("abdef", "d")


def test_the_cursor_steps_over_rows_that_have_left() -> None:
    view, source = view_of("abcdefgh", on="b")
    assert change(view, source, "abefgh") == "abcde"
    view.move_by(1)
    assert (shown(view), view.cursor_id) == ("abefg", "e")


def test_a_row_that_comes_back_is_there_once() -> None:
    view, source = view_of("abcdefgh", on="c")
    change(view, source, "abdefgh")
    assert change(view, source, "abcdefgh") == "abcde"
    assert not view.order.is_gone("c")


def test_rows_out_of_sight_that_leave_just_go() -> None:
    view, source = view_of("abcdefgh", on="b")
    assert change(view, source, "abcde") == "abcde"
    assert len(view.order) == 5


def test_before_the_operator_acts_only_the_cursors_row_stays() -> None:
    view, source = view_of("abcdefgh")
    assert change(view, source, "bdefgh") == "abdef"
    assert view.cursor_id == "a"


def test_new_rows_wait_while_the_operator_acts() -> None:
    view, source = view_of("abcdefgh", on="b")
    assert view.holds
    view.order.hold("XY")
    assert change(view, source, "XYabcdefgh") == "abcde"
    assert view.order.held == 2
    assert view.order.place_of("X") is None
    assert view.order.place_of("h") == 7
    assert view.release() == 2
    assert (shown(view), view.cursor_id, view.order.held) == ("abcde", "b", 0)
    view.rest()
    assert (shown(view), view.cursor_id, view.holds) == ("XYabc", "X", False)


def test_a_held_row_that_leaves_is_held_no_more() -> None:
    view, source = view_of("abc", on="b")
    view.order.hold("XY")
    change(view, source, "XYabc")
    change(view, source, "Yabc")
    assert view.order.held == 1


def test_too_many_held_rows_are_let_in() -> None:
    view, _ = view_of("abc", on="b")
    view.order.hold(str(number) for number in range(HELD_LIMIT + 1))
    assert view.order.held == 0


def test_until_the_operator_acts_new_rows_come_in_and_the_cursor_goes_down_with_its_row() -> None:
    view, source = view_of("abcdefgh")
    assert change(view, source, "XYabcdefgh") == "XYabc"
    assert (view.cursor_id, view.cursor_line, view.holds) == ("a", 2, False)
    assert change(view, source, "UVWXYabcdefgh") == "UVWXY", "nobody chose that row: what is new is on the screen"
    assert (view.cursor_id, view.cursor_line, view.holds) == ("U", 0, False)


def test_the_policy_decides() -> None:
    view, _ = view_of("abc", on="b")
    view.policy = "never"
    assert not view.holds
    view.rest()
    view.policy = "always"
    assert view.holds


def test_scrolling_leaves_the_cursor_where_it_is() -> None:
    view, source = view_of("abcdefgh", 3, on="b")
    view.scroll_by(4)
    assert (shown(view), view.cursor_id, view.cursor_line) == ("efg", "b", None)
    assert change(view, source, "XYabcdefgh") == "efg"
    view.move_by(1)
    assert (view.cursor_id, shown(view)) == ("c", "cde")


def test_pages_and_ends() -> None:
    view, _ = view_of("abcdefgh", 3)
    view.page(1)
    assert (shown(view), view.cursor_id) == ("def", "d")
    view.page(1)
    view.page(1)
    assert (shown(view), view.cursor_id) == ("fgh", "h")
    view.page(-1)
    assert (shown(view), view.cursor_id) == ("cde", "e")
    view.move_by(-100)
    assert (shown(view), view.cursor_id) == ("abc", "a")


def test_nothing_at_all() -> None:
    view, source = view_of("")
    view.move_by(1)
    view.page(1)
    assert (view.cursor_id, view.cursor_line, view.window) == (None, None, [])
    assert change(view, source, "ab") == "ab"
    assert view.cursor_id == "a"


def test_all_rows_leave() -> None:
    view, source = view_of("abc", on="b")
    assert change(view, source, "") == "abc"
    view.move_by(1)
    assert (shown(view), view.cursor_id) == ("", None)


@pytest.mark.parametrize("seed", range(30))
def test_places_and_ids_agree_whatever_is_held_or_gone(seed: int) -> None:
    dice = random.Random(seed)
    ids = [f"{number}" for number in range(40)]
    source = source_of(ids)
    order = Order(source)
    held = dice.sample(ids, 6)
    shown_ids = [row_id for row_id in ids if row_id not in held]
    order.hold(held)
    gone = dice.sample(shown_ids, 5)
    left = [row_id for row_id in ids if row_id not in gone]
    expected = list(shown_ids)
    for row_id in gone:
        before = [other for other in shown_ids[: shown_ids.index(row_id)] if other not in gone]
        order.keep_gone(row_id, before[-1] if before else None)
    source.replace(left)
    order.settle()
    places = [order.id_at(place) for place in range(len(order))]
    assert sorted(filter(None, places)) == sorted(expected)
    assert [row_id for row_id in places if row_id not in gone] == [row_id for row_id in left if row_id not in held]
    assert [order.place_of(row_id) for row_id in places if row_id] == list(range(len(order)))
