from __future__ import annotations

import pytest

from agent.core.ports import Store
from shared.errors import Conflict, NotFound, StaleVersion
from shared.ids import new_id
from shared.models.dataset import Dataset, DatasetInput, Snapshot, SnapshotColumn
from tests.contract.store.making import MINUTE, NOW, dataset


def snapshot(of: Dataset) -> Snapshot:
    columns = [SnapshotColumn(name="id", type="BIGINT")]
    return Snapshot(
        id=new_id(), dataset_id=of.id, created_at=NOW, run_id=new_id(), rows=3, bytes=100, sha256="a" * 64,
        query_sha256="b" * 64, columns=columns,
    )  # fmt: skip


async def test_it_is_found_by_id_and_by_name_and_by_nobody_else(store: Store) -> None:
    made = await store.insert_dataset(dataset())
    assert await store.get_dataset("main", made.id) == made
    assert await store.get_dataset("main", "orders") == made
    assert [one.name for one in await store.list_datasets("main")] == ["orders"]
    assert await store.list_datasets("other") == []
    with pytest.raises(NotFound):
        await store.get_dataset("other", made.id)


async def test_a_name_is_taken_once_in_an_account(store: Store) -> None:
    made = await store.insert_dataset(dataset())
    await store.insert_dataset(dataset(account="other"))
    with pytest.raises(Conflict) as refused:
        await store.insert_dataset(dataset())
    assert refused.value.field == "name"
    second = await store.insert_dataset(dataset("customers"))
    with pytest.raises(Conflict):
        await store.replace_dataset("main", second.id, DatasetInput(name="orders"), None, NOW)
    assert (await store.get_dataset("main", "orders")).id == made.id


async def test_replacing_it_moves_the_version_and_keeps_what_is_not_the_callers(store: Store) -> None:
    made = await store.insert_dataset(dataset())
    given = DatasetInput.model_validate({"name": "bought", "keep": {"count": 3, "age": "1 day"}})
    changed = await store.replace_dataset("main", made.id, given, 1, NOW + MINUTE)
    assert (changed.name, changed.version, changed.query, changed.owner_id) == ("bought", 2, None, "anna-id")
    assert changed.keep == given.keep
    assert (changed.created_at, changed.updated_at) == (NOW, NOW + MINUTE)
    with pytest.raises(StaleVersion):
        await store.replace_dataset("main", made.id, given, 1, NOW)
    with pytest.raises(NotFound):
        await store.replace_dataset("other", made.id, given, None, NOW)


async def test_what_is_found_in_its_folder_is_told_once_and_leaves_the_version(store: Store) -> None:
    made = await store.insert_dataset(dataset())
    latest, before = snapshot(made), await store.last_event_id()
    for _ in range(2):
        await store.note_snapshots("main", made.id, latest, 1)
    found = await store.get_dataset("main", made.id)
    assert (found.snapshot, found.snapshots, found.version) == (latest, 1, 1)
    told = await store.events_after("main", before, 10)
    assert told is not None
    assert [(event.kind, event.data["snapshot"]) for event in told] == [("dataset.changed", latest.id)]
    await store.note_snapshots("main", made.id, None, 0)
    assert (await store.get_dataset("main", made.id)).snapshot is None
    await store.note_snapshots("main", new_id(), latest, 1)


async def test_a_deleted_one_is_told_and_frees_its_name(store: Store) -> None:
    made = await store.insert_dataset(dataset())
    with pytest.raises(StaleVersion):
        await store.delete_dataset("main", made.id, 7)
    before = await store.last_event_id()
    await store.delete_dataset("main", made.id, 1)
    told = await store.events_after("main", before, 10)
    assert told is not None
    assert [(event.kind, event.data) for event in told] == [("dataset.changed", {"id": made.id, "deleted": True})]
    with pytest.raises(NotFound):
        await store.delete_dataset("main", made.id, None)
    await store.insert_dataset(dataset())
