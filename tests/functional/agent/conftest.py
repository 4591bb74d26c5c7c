from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.functional.agent.life import Life
from tests.functional.agent.stage import Stage, opened


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path / "data") as stage:
        yield stage


@pytest.fixture
def life(stage: Stage) -> Life:
    return Life(stage)
