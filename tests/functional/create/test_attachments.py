"""Attachments of an action, as they are typed."""

from __future__ import annotations

from typing import Any

import pytest

from console.screens.actions.attachments import read_attachments, word_of
from shared.errors import InvalidInput

_FILE = {"id": "f", "type": "file", "name": "terms.pdf", "data": {"file": {"blob": "0" * 64, "size": 7}}}
_CSV = {"id": "r", "type": "result", "name": "rows.csv", "data": {"step": "fetch", "path": "rows", "format": "csv"}}


@pytest.mark.parametrize(
    ("word", "attachment"),
    [
        ("log", {"type": "log", "name": "log.txt"}),
        ("log:500", {"type": "log", "name": "log.txt", "data": {"lines": 500}}),
        ("result", {"type": "result", "name": "result.json"}),
        ("result:fetch it", {"type": "result", "name": "fetch-it.json", "data": {"step": "fetch it"}}),
        ("dataset:orders", {"type": "dataset", "name": "orders.csv", "data": {"dataset": "orders"}}),
    ],
)
def test_a_word_is_an_attachment_and_the_attachment_that_word(word: str, attachment: dict[str, Any]) -> None:
    assert read_attachments([word], []) == [attachment]
    assert word_of(attachment) == word


def test_what_was_there_and_is_still_named_stays_as_it_is() -> None:
    twice = {**_FILE, "id": "g"}
    assert [word_of(each) for each in (_FILE, _CSV)] == ["file:terms.pdf", "result:fetch"]
    kept = read_attachments(["result:fetch", "file:terms.pdf", "log"], [_FILE, twice, _CSV])
    assert kept == [_CSV, _FILE, twice, {"type": "log", "name": "log.txt"}]
    assert read_attachments([], [_FILE]) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("logs", "write some of log, log:LINES"),
        ("log:many", "write some of log, log:LINES"),
        ("dataset:", "write the alias of a dataset"),
        ("file:/etc/passwd", "uploaded through the API"),
    ],
)
def test_another_word_is_told_what_would_be_right(word: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        read_attachments([word], [])
    assert refused.value.faults[0].value == word
