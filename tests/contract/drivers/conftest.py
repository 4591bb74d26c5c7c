from __future__ import annotations

from pathlib import Path

import pytest_asyncio

from tests.acceptance.workers.conftest import pool
from tests.acceptance.workers.stage import Stage, until

__all__ = ["pool", "stage"]


@pytest_asyncio.fixture(loop_scope="module")
async def stage(pool: Stage, tmp_path: Path) -> Stage:
    """The pool with an idle worker, and a folder and a memory for this test alone. Its modules share one loop."""
    await until(pool.executor.idle_workers)
    pool.folder = tmp_path
    pool.events.clear()
    pool.endings.clear()
    pool.watched.clear()
    return pool
