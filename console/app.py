"""`jobdeck` without a command: opens the console."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from console.options import USAGE, read
from shared.errors import InvalidInput
from shared.exits import Exit


def main(words: Sequence[str] = ()) -> int:
    """Open the console; an exit code. JobdeckError says what is wrong with options, settings or environment."""
    if "--help" in words or "-h" in words:
        sys.stdout.write(USAGE + "\n")
        return Exit.OK
    options = read(words, os.environ)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput.one(
            "terminal", "the console needs one; `jobdeck run list` and `jobdeck job list` print lines"
        )
    # Nothing that is made before the first frame is garbage; looking for it takes a fifth of the time until then.
    # The console switches it on again.
    gc.disable()
    from console.shell import Console

    console = Console(options, os.environ)
    console.run()
    return console.farewell()
