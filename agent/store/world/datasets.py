"""Datasets: made, changed, gone; and what is known of their snapshots."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from agent.store import events
from agent.store.permissions import shares
from agent.store.permissions.visibility import resource_seen_by
from agent.store.tables import datasets
from agent.store.world import named
from shared.errors import NotFound, StaleVersion
from shared.models.dataset import Dataset, DatasetInput, Snapshot


def insert(connection: sa.Connection, dataset: Dataset) -> Dataset:
    named.check_free(connection, datasets, "dataset", dataset.account_id, dataset.name)
    connection.execute(sa.insert(datasets).values(_row(dataset)))
    shares.tell_if_private(
        connection, dataset.account_id, "dataset", dataset.id, dataset.visibility, dataset.created_at
    )
    return _tell(connection, dataset.id, dataset.created_at)


def replace(
    connection: sa.Connection,
    account_id: str,
    dataset_id: str,
    given: DatasetInput,
    expected_version: int | None,
    now: datetime,
) -> Dataset:
    """All but its id, its owner and its snapshots."""
    row = _lock(connection, account_id, dataset_id, expected_version)
    named.check_free(connection, datasets, "dataset", account_id, given.name, dataset_id)
    values = {**given.model_dump(mode="json"), "version": row["version"] + 1, "updated_at": now}
    connection.execute(sa.update(datasets).where(datasets.c.id == dataset_id).values(values))
    return _tell(connection, dataset_id, now)


def get(connection: sa.Connection, account_id: str, key: str) -> Dataset:
    return Dataset.model_validate(named.find(connection, datasets, "dataset", account_id, key))


def list_seen(connection: sa.Connection, account_id: str, user_id: str | None) -> list[Dataset]:
    """Those of the account that the user may see; None as the user: all."""
    mine = sa.and_(datasets.c.account_id == account_id, *resource_seen_by(datasets, "dataset", user_id))
    found = connection.execute(sa.select(datasets).where(mine).order_by(datasets.c.name)).mappings()
    return [Dataset.model_validate(row) for row in found]


def list_all(connection: sa.Connection) -> list[Dataset]:
    """Of every account."""
    found = connection.execute(sa.select(datasets).order_by(datasets.c.id)).mappings()
    return [Dataset.model_validate(row) for row in found]


def delete(
    connection: sa.Connection, account_id: str, dataset_id: str, expected_version: int | None, now: datetime
) -> None:
    _lock(connection, account_id, dataset_id, expected_version)
    connection.execute(sa.delete(datasets).where(datasets.c.id == dataset_id))
    shares.forget(connection, account_id, "dataset", dataset_id)
    told = [(account_id, dataset_id, {"id": dataset_id, "deleted": True})]
    events.record(connection, "dataset.changed", told, now)


def note_snapshots(
    connection: sa.Connection, account_id: str, dataset_id: str, latest: Snapshot | None, count: int, now: datetime
) -> None:
    """The definition stays as it is, and so does its version."""
    mine = sa.and_(datasets.c.account_id == account_id, datasets.c.id == dataset_id)
    known = connection.execute(sa.select(datasets.c.snapshot, datasets.c.snapshots).where(mine)).one_or_none()
    found = latest.model_dump(mode="json") if latest else None
    if known is None or tuple(known) == (found, count):
        return
    connection.execute(sa.update(datasets).where(mine).values(snapshot=found, snapshots=count))
    _tell(connection, dataset_id, now)


def _lock(connection: sa.Connection, account_id: str, dataset_id: str, expected_version: int | None) -> sa.RowMapping:
    mine = sa.and_(datasets.c.account_id == account_id, datasets.c.id == dataset_id)
    row = connection.execute(sa.select(datasets).where(mine).with_for_update()).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no dataset {dataset_id!r}")
    if expected_version is not None and row["version"] != expected_version:
        raise StaleVersion(f"the dataset has changed meanwhile: version {row['version']}, not {expected_version}")
    return row


def _tell(connection: sa.Connection, dataset_id: str, now: datetime) -> Dataset:
    row = connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id)).mappings().one()
    dataset = Dataset.model_validate(row)
    latest = dataset.snapshot.id if dataset.snapshot else None
    data = {"id": dataset.id, "snapshot": latest, "snapshots": dataset.snapshots}
    events.record(connection, "dataset.changed", [(dataset.account_id, dataset.id, data)], now)
    return dataset


def _row(dataset: Dataset) -> dict[str, Any]:
    plain = dataset.model_dump(mode="json")
    return {**plain, "created_at": dataset.created_at, "updated_at": dataset.updated_at}
