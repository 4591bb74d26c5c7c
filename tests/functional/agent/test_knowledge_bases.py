"""Knowledge bases as the core keeps them."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from agent.resources.knowledge.lock import try_lock
from shared.errors import Conflict
from shared.models import ConnectionInput, KnowledgeBaseInput
from tests.functional.agent.stage import Bench, Stage


async def test_one_that_is_written_to_is_not_deleted_by_half(stage: Stage) -> None:
    world = stage.core.world
    base = await world.create_knowledge_base(stage.me, KnowledgeBaseInput(name="orders"))
    folder = Path(stage.agent.reader.grant_path(base))
    lock = try_lock(folder)
    assert lock is not None
    try:
        with pytest.raises(Conflict, match="writes to knowledge base 'orders'"):
            await world.delete_knowledge_base(stage.me, base.id)
    finally:
        os.close(lock)
    assert (await world.get_knowledge_base(stage.me, "orders")).id == base.id
    await world.delete_knowledge_base(stage.me, base.id)
    assert not await asyncio.to_thread(folder.exists)
    assert await world.list_knowledge_bases(stage.me) == []


async def test_a_folder_that_is_lost_is_there_again_when_a_run_is_given_its_order(stage: Stage, tmp_path: Path) -> None:
    """What is not there later on was deleted under the run."""
    source = tmp_path / "orders.db"
    with sqlite3.connect(source) as rows:
        rows.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TEXT)")
    world = stage.core.world
    await world.create_connection(stage.me, ConnectionInput(name="shop", url=f"sqlite:///{source}"))
    base = await world.create_knowledge_base(stage.me, KnowledgeBaseInput(name="orders"))
    data = {"source_table": "shop.orders", "knowledge_base": "orders", "content_columns": ["product"],
            "filter_column": "updated_at"}  # fmt: skip
    job = await stage.job(type="kb-sync", data=data)
    folder = Path(stage.agent.reader.grant_path(base))
    await asyncio.to_thread(shutil.rmtree, folder)
    await stage.core.jobs.run_now(stage.me, job.id)
    bench = stage.man(Bench("w"))
    await stage.dispatch()
    assert bench.orders["w"].knowledge_bases["orders"].path == str(folder)
    assert await asyncio.to_thread(folder.is_dir)
