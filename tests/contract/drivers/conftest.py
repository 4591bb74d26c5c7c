from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.workers.stage import Stage, new_stage, until


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A pool of one real worker: drivers are tried where they run, one after the other as in an agent."""
    stage = new_stage(tmp_path_factory.mktemp("pool"))
    await stage.executor.start(stage.on_event, stage.on_end)
    yield stage
    await stage.executor.stop(0)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(pool: Stage, tmp_path: Path) -> Stage:
    """The pool with an idle worker, and a folder and a memory for this test alone. Its modules share one loop."""
    await until(pool.executor.idle_workers)
    pool.folder = tmp_path
    pool.events.clear()
    pool.endings.clear()
    pool.watched.clear()
    return pool
