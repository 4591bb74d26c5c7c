"""Lines of the summary: titles, and texts that need more than one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from console.render.safe import to_one_line

INDENT = 2


def title(word: str) -> Text:
    return Text(word, "bold", no_wrap=True)


def wrapped(text: str, style: str, width: int, indent: int = INDENT) -> Iterator[Text]:
    """Cut at blanks where there are any; each line begins with `indent` blanks."""
    from rich.console import Console

    whole = Text(to_one_line(text), style)
    for line in whole.wrap(Console(width=width), max(8, width - indent)):
        yield Text(" " * indent).append_text(line)
