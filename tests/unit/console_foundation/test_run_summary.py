"""What the run detail says of a run, line by line."""

from __future__ import annotations

import pytest

from console.render.look import UNICODE
from console.screens.run_detail.facts import Facts
from console.screens.run_detail.summary import lines
from console.theme import look_of
from tests.functional.run_detail.fixed import NOW, failed


@pytest.mark.parametrize(("gone", "said"), [(True, "no longer kept"), (False, "")])
def test_a_rerun_whose_original_was_deleted_says_so(gone: bool, said: str) -> None:
    run = failed().model_copy(update={"original_run_id": "0190-old", "original_gone": gone})
    shown = lines(Facts(run), NOW, look_of("dark", UNICODE), 80)
    line = next(text.plain for text in shown if "0190-old" in text.plain)
    assert line.split("0190-old")[1].strip() == said
