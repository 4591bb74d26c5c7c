"""The commands that documents and help texts print, as words after `jobdeck`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BETWEEN = set("();<>|&")


def commands_in(document: str) -> Iterator[list[str]]:
    """Of the shell's blocks in a document of this repository, in their order."""
    text = (ROOT / document).read_text()
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from commands_of(line)


def commands_of(line: str) -> Iterator[list[str]]:
    """Each command of a line: `printf x | jobdeck secret set y && jobdeck kb list` has two."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] | None = None
    begins = True
    for word in lexer:
        if set(word) <= _BETWEEN:
            if command is not None:
                yield command
            command, begins = None, True
        elif begins and word == "jobdeck":
            command, begins = [], False
        elif command is not None:
            command.append(word)
        else:
            begins = begins and ("=" in word or word == "sudo")  # what may stand before it
    if command is not None:
        yield command
