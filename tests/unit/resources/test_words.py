"""Questions as full-text queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.resources.knowledge import words
from agent.resources.knowledge.file import open_for_reading, open_for_writing
from agent.resources.knowledge.rows import NewRow, insert_rows
from agent.resources.knowledge.shares import ShareIdentity, begin_share
from agent.resources.knowledge.words import match_expression
from tests.contract.drivers.kb_world import NOON


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """100 rows: `the` in all, `shoes` in half, `élan` in one."""
    base = open_for_writing(tmp_path)
    share = begin_share(base, ShareIdentity("a.b", "wordllama", 256, ("id",)), "live", "run", NOON)
    texts = [f"the {'shoes' if n % 2 else 'hats'} {'élan' if n == 7 else ''}" for n in range(100)]
    rows = [NewRow(share.id, str(n), text, "{}", b"", b"", b"") for n, text in enumerate(texts)]
    insert_rows(base, share.id, rows)
    base.close()
    return tmp_path


@pytest.mark.parametrize(
    ("question", "common_rows", "expression"),
    [
        ("the shoes ELAN", 1000, '"the" OR "shoes" OR "elan"'),
        ("the shoes Élan", 10, '"elan"'),
        ("the shoes", 10, '"shoes"'),
        ("the", 10, '"the"'),
        ('a"b OR_c*', 1000, '"a" OR "b" OR "or" OR "c"'),
        ("?!* \x00 _", 1000, None),
        ("shoes shoes Shoes", 1000, '"shoes"'),
    ],
)
def test_words_are_quoted_and_common_ones_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, question: str, common_rows: int, expression: str | None
) -> None:
    monkeypatch.setattr(words, "COMMON_ROWS", common_rows)
    base = open_for_reading(folder)
    assert match_expression(base, question) == expression
    base.close()


def test_a_question_has_a_limited_number_of_words(folder: Path) -> None:
    base = open_for_reading(folder)
    expression = match_expression(base, " ".join(f"word{n}" for n in range(1000)))
    assert expression is not None
    assert expression.count(" OR ") == words.MOST_WORDS - 1
    base.close()
