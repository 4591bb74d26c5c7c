from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.workers.stage import Stage, new_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A pool of one worker."""
    stage = new_stage(tmp_path)
    await stage.executor.start(stage.on_event, stage.on_end)
    yield stage
    await stage.executor.stop(0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A pool of one real worker for a module, whose tests share one loop and come one after the other, as in an agent."""
    stage = new_stage(tmp_path_factory.mktemp("pool"))
    await stage.executor.start(stage.on_event, stage.on_end)
    yield stage
    await stage.executor.stop(0)
