"""What every part of an agent stands on: its settings and folder, the store and its lock, time, ids and chance."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent.settings import Settings
from agent.store import STORE_FILE, SqlStore, open_store
from agent.store.engine.lock import Purpose, StoreLock, take_lock
from agent.upkeep.layout import Layout
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.ids import NewId

_IF_NOT_MEANT = "If that is not meant, stop it and restore the last backup: jobdeck restore BACKUP --force"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    settings: Settings
    data_dir: Path
    lock: StoreLock
    store: SqlStore
    clock: Clock
    ids: NewId
    rng: random.Random
    agent_id: str

    async def close(self) -> None:
        try:
            await self.store.close()
        finally:
            self.lock.release()


async def open_ground(settings: Settings, clock: Clock, ids: NewId, rng: random.Random, purpose: Purpose) -> Ground:
    """Conflict if another agent holds the store, or half of a restore is in its place; Unavailable if the store cannot be opened: then nothing is held."""
    data_dir = _prepare(settings.data_dir)
    layout = Layout(data_dir)
    loss = layout.loss()
    lock = take_lock(data_dir / STORE_FILE, clock, purpose)
    try:
        layout.require_whole()
        store = await open_store(data_dir / STORE_FILE, clock=clock, new_id=ids)
    except BaseException:
        lock.release()
        raise
    if loss:
        _log.warning("store_missing", message=f"{loss}; this agent begins with an empty one. {_IF_NOT_MEANT}")
    return Ground(settings, data_dir, lock, store, clock, ids, rng, agent_id=ids())


def _prepare(data_dir: Path) -> Path:
    """The data directory belongs to the agent's user alone: it holds credentials and what jobs have read."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        os.chmod(data_dir, 0o700)  # noqa: PTH101  (Path.chmod follows links all the same)
    except OSError as error:
        message = f"{data_dir} cannot be made or written to: {error.strerror}; name another with --data-dir"
        raise InvalidInput.one("data_dir", message, str(data_dir)) from None
    return data_dir
