"""One command is made for a call that names one; what names nothing finds everything that it could have meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import typer

from shared.command_tree import tree_for


def _tree() -> typer.Typer:
    app, jobs = typer.Typer(), typer.Typer(no_args_is_help=True)
    for group, names in ((app, ("explain", "two-words")), (jobs, ("list", "show"))):
        for name in names:
            group.command(name)(lambda: None)

    @app.command()
    def named_by_itself() -> None: ...

    app.add_typer(jobs, name="job")
    return app


def _names(group: Any) -> Any:
    return {name: _names(each) if hasattr(each, "commands") else None for name, each in group.commands.items()}


_JOB = {"list": None, "show": None}
_ALL = {"explain": None, "two-words": None, "named-by-itself": None, "job": _JOB}


@pytest.mark.parametrize(
    ("words", "made"),
    [
        ([], _ALL),
        (["--help"], _ALL),
        (["jbo", "list"], _ALL),
        (["explain", "job"], {"explain": None}),
        (["two-words"], {"two-words": None}),
        (["named-by-itself"], {"named-by-itself": None}),
        (["job"], {"job": _JOB}),
        (["job", "--help"], {"job": _JOB}),
        (["job", "lsit"], {"job": _JOB}),
        (["job", "list", "show"], {"job": {"list": None}}),
    ],
    ids=lambda given: " ".join(given) or "none",
)
def test_a_tree_has_what_the_words_name(words: Sequence[str], made: Any) -> None:
    app = _tree()
    assert _names(tree_for(app, words)) == made
    assert _names(tree_for(app, [])) == _ALL, "the tree itself stays whole"
