"""Knowledge bases as the core keeps them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent.resources.knowledge.lock import try_lock
from shared.errors import Conflict
from shared.models import KnowledgeBaseInput
from tests.functional.agent.stage import Stage


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
