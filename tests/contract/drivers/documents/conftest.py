"""A world with a folder for files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.drivers.kb_world import KbWorld


@pytest.fixture
def world(tmp_path: Path) -> KbWorld:
    (tmp_path / "files/in").mkdir(parents=True)
    return KbWorld(tmp_path, f"sqlite:///{tmp_path}/source.db")
