"""What has become of snapshots is told, also after a store that could not be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.resources.datasets.folder import SnapshotFolder
from agent.services.snapshots import SnapshotWatch
from shared.errors import Unavailable
from shared.ids import new_id
from shared.models import ConnectionInput
from shared.models.dataset import Dataset, NewDataset, Snapshot, SnapshotColumn
from tests.functional.agent.stage import NOON, Stage


async def dataset(stage: Stage, name: str) -> Dataset:
    return await stage.core.datasets.create(stage.me, NewDataset(name=name, connection="shop", query="SELECT 1"))  # type: ignore[no-any-return]


def put_snapshot(stage: Stage, of: Dataset) -> None:
    """As a worker leaves it."""
    folder = SnapshotFolder(Path(stage.core.datasets._snapshots.path_of(of)))
    snapshot = Snapshot(
        id=new_id(), dataset_id=of.id, created_at=NOON, run_id=new_id(), rows=3, bytes=4, sha256="a" * 64,
        query_sha256="b" * 64, columns=[SnapshotColumn(name="id", type="BIGINT")],
    )  # fmt: skip
    folder.aside(snapshot.id).write_bytes(b"rows")
    folder.add(snapshot)


async def test_what_could_not_be_noted_is_noted_later_and_stops_no_other(stage: Stage, tmp_path: Path) -> None:
    await stage.core.world.create_connection(
        stage.me, ConnectionInput(name="shop", url=f"sqlite:///{tmp_path}/shop.db")
    )
    duty, store = stage.duty(SnapshotWatch), stage.agent.sql
    first, second = [await dataset(stage, name) for name in ("first", "second")]
    for one in (first, second):
        put_snapshot(stage, one)
    note = store.note_snapshots

    async def full_for_the_first(account_id: str, dataset_id: str, *rest: Any) -> None:
        if dataset_id == min(first.id, second.id):
            raise Unavailable("the disk is full")
        await note(account_id, dataset_id, *rest)

    store.note_snapshots = full_for_the_first  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await duty.poll()
    store.note_snapshots = note  # type: ignore[method-assign]
    counts = {each.id: each.snapshots for each in await store.all_datasets()}
    assert sorted(counts.values()) == [0, 1]
    await duty.poll()
    assert [each.snapshots for each in await store.all_datasets()] == [1, 1]
