"""Tokens by way of words: the very ones that the tokenizer gives for the whole text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.resources.embedders import pieces
from agent.resources.embedders.pieces import PieceTokens

ODD = [
    "",
    " ",
    "   ",
    "a ",
    " a",
    "a   b  ",
    "\n\n    indented\n    again\n",
    "tab\t and \x00 nothing",
    "ü ö  ß€ 😀 \u0301",
    "▁",
    "a▁ b",
    "a ▁b ▁",
    "a<s>b",
    "x <s> b",
    "</s> <unk>",
    "< s>",
    "1234 5678,90\n12",
]


@cache
def tokenizer() -> Any:
    import wordllama  # type: ignore[import-untyped]

    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    model.tokenizer.no_truncation()
    return model.tokenizer


def whole(texts: Sequence[str]) -> list[list[int]]:
    return [one.ids for one in tokenizer().encode_batch(texts, add_special_tokens=False)]


def real_texts() -> list[str]:
    """Modules of the standard library, cut at arbitrary places."""
    sources = [path.read_text() for path in sorted(Path(json.__file__).parents[1].glob("[a-f]*.py"))[:40]]
    return [text[start : start + 1777] for text in sources for start in range(0, len(text), 1777)]


def test_tokens_are_those_of_the_whole_text() -> None:
    texts = ODD + real_texts()
    assert len(texts) > 300
    tokens = PieceTokens(tokenizer())
    assert list(tokens.of(texts)) == whole(texts)
    assert list(tokens.of(texts)) == whole(texts), "looked up, not only when first met"


@given(st.text(st.sampled_from("ab1 \n▁<s>/é.\t"), max_size=30))
def test_any_mixture_of_spaces_and_marks(text: str) -> None:
    assert list(PieceTokens(tokenizer()).of([text])) == whole([text])


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MOST_CHARACTERS", 500)
    tokens = PieceTokens(tokenizer())
    texts = real_texts()[:50]
    for text in texts:
        assert list(tokens.of([text])) == whole([text])
        assert sum(map(len, tokens._known)) <= 500 + 1777


def test_no_token_crosses_the_beginning_of_a_word() -> None:
    assert not [token for token in tokenizer().get_vocab() if re.search("[^▁]▁", token)]
