"""A data folder that is another user's, and one that is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.upkeep.layout import Layout
from shared.errors import Forbidden, NotFound


def test_a_store_that_this_user_may_not_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobdeck.db").touch()
    Layout(tmp_path).require_store()
    monkeypatch.setattr(os, "access", lambda *_: False)  # who runs the tests may be root, who may read everything
    with pytest.raises(Forbidden, match="as the user that runs the agent"):
        Layout(tmp_path).require_store()


def test_a_folder_without_a_store_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="--data-dir"):
        Layout(tmp_path).require_store()
