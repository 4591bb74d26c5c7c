from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.workers.stage import Stage, new_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A pool of one real worker: drivers are tried where they run."""
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    yield stage
    await stage.executor.stop(0)
