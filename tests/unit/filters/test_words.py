from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.filters.words import holds, words_of


def test_words_lose_case_accents_and_punctuation() -> None:
    assert words_of("Sync läuft: orders_db (STRASSE, straße) ﬁle №5") == [
        "sync", "lauft", "orders", "db", "strasse", "strasse", "file", "no5",
    ]  # fmt: skip


def test_a_phrase_stands_together_and_its_last_word_may_go_on() -> None:
    text = words_of("the connection was refused twice")
    assert holds(text, ["was", "ref"], prefix=True)
    assert not holds(text, ["was", "ref"], prefix=False)
    assert not holds(text, ["connection", "refused"], prefix=True)
    assert not holds([], ["a"], prefix=True)


@given(st.text())
def test_words_of_words_are_themselves(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)
