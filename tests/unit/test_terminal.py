"""What others wrote must not command the terminal that reads it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading

import pytest

from shared.terminal import fenced
from tests.harness.telling import PATIENCE

HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\u202ee\x08f"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (HOSTILE, "a]0;titleb[2Jc31mdef"),
        ("\x1b[31mfailed\x1b[0m", "\x1b[31mfailed\x1b[0m"),
        ("\rrunning", "\rrunning"),
        ("failed\rcompleted", "failedcompleted"),
        ("漢字\tä\n", "漢字\tä\n"),
        ("\x1b[31;5m \x1b[999m", "[31;5m [999m"),
    ],
)
def test_only_colours_and_a_beginning_return_pass(text: str, left: str) -> None:
    assert fenced(text) == left


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_terminal_is_fenced_and_a_pipe_gets_all(stream: str) -> None:
    program = (
        f"import sys; from shared.terminal import fence_terminal; fence_terminal(); sys.{stream}.write({HOSTILE!r})"
    )
    assert _on_a_terminal(program) == fenced(HOSTILE)
    piped = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert piped.stdout + piped.stderr == HOSTILE


@pytest.mark.parametrize(
    "raised", ["JobdeckError({0!r})", "ValueError({0!r})", "InvalidInput.one('name', {0!r}, {0!r})"]
)
def test_a_refusal_is_fenced(raised: str) -> None:
    program = (
        "import shared.launcher as it; from shared.errors import *\n"
        f"def refuse(words): raise {raised.format(HOSTILE)}\n"
        "it._dispatch = refuse; it.main(['x'])"
    )
    said = _on_a_terminal(program)
    assert fenced(HOSTILE) in said
    assert not set("\x1b\x07\x9b\u202e") & set(said)


def _on_a_terminal(program: str) -> str:
    """What a terminal gets that the program writes to; the terminal itself turns line ends."""
    master, slave = pty.openpty()
    got: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(master, got))
    reader.start()
    try:
        subprocess.run(
            [sys.executable, "-c", program], stdin=slave, stdout=slave, stderr=slave, timeout=PATIENCE, check=False
        )
    finally:
        os.close(slave)
        reader.join(PATIENCE)
        os.close(master)
    return b"".join(got).decode().replace("\r\n", "\n")


def _read_all(master: int, got: list[bytes]) -> None:
    try:
        while piece := os.read(master, 4096):
            got.append(piece)
    except OSError:
        return  # the other end is closed
