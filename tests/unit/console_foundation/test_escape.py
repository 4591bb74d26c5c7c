"""What is read with an esc: a key of its own, unless a terminal means one key by it."""

from __future__ import annotations

import pytest

from console.display.escape import EscapeParser


@pytest.mark.parametrize(
    ("reads", "keys"),
    [
        (["\x1bj"], ["escape", "j"]),
        (["\x1b:"], ["escape", "colon"]),
        (["\x1b\r"], ["escape", "enter"]),
        (["\x1b", "j"], ["escape", "j"]),
        (["\x1bjk"], ["escape", "j", "k"]),
        (["\x1b\x1b2"], ["escape", "escape", "2"]),
        (["\x1b[A"], ["up"]),
        (["\x1b", "[A"], ["up"]),
        (["\x1b[", "A"], ["up"]),
        (["\x1bOP"], ["f1"]),
        (["\x1b[1;5C\x1bw"], ["ctrl+right", "escape", "w"]),
        (["\x1b[Z\x1b\x7f"], ["shift+tab", "ctrl+w"]),
        (["j", "k"], ["j", "k"]),
    ],
)
def test_keys(reads: list[str], keys: list[str]) -> None:
    parser = EscapeParser()
    assert [message.key for read in reads for message in parser.feed(read)] == keys


def test_a_paste_stays_one() -> None:
    [pasted] = EscapeParser().feed("\x1b[200~job: x\x1b[201~")
    assert pasted.text == "job: x"
