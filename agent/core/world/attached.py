"""The datasets of a job: under which names its drivers find them, and of which a snapshot is made around a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from agent.core.driving import Needs
from agent.core.wire import DatasetGrant
from shared.errors import Fault
from shared.models import JobInput
from shared.models.job import JobDataset


def dataset_keys(definition: JobInput) -> tuple[str, ...]:
    """Ids (or names) of all datasets that the definition speaks of beside its parameters."""
    aliases = {one.alias for one in definition.datasets}
    around = [key for when in ("before", "after") for key in snapshots_around(definition, when)]
    return tuple(
        dict.fromkeys([*(one.dataset_id for one in definition.datasets), *(k for k in around if k not in aliases)])
    )


def snapshots_around(definition: JobInput, when: Literal["before", "after"]) -> list[str]:
    """Aliases, ids or names of those that get a snapshot then; who names none means the dataset itself."""
    found: list[str] = []
    for one in in_order(definition):
        if one.snapshots is not None and one.snapshots.when == when:
            found += [named.dataset_id for named in one.snapshots.snapshot_datasets] or [one.alias]
    return list(dict.fromkeys(found))


def in_order(definition: JobInput) -> list[JobDataset]:
    """By `index`, those without one last, else as they were attached."""
    return sorted(definition.datasets, key=lambda one: 10**9 if one.index is None else one.index)


def aliases_of(definition: JobInput) -> dict[str, str]:
    """The dataset behind each alias."""
    return {one.alias: one.dataset_id for one in definition.datasets}


def unaliased(needs: Needs, aliases: Mapping[str, str]) -> Needs:
    """The needs with datasets by their ids where a driver's parameters speak of them by alias."""
    if not needs.datasets:
        return needs
    datasets = tuple(dict.fromkeys(aliases.get(name, name) for name in needs.datasets))
    changed = frozenset((kind, aliases.get(name, name) if kind == "dataset" else name) for kind, name in needs.changed)
    return replace(needs, datasets=datasets, changed=changed)


def by_alias(definition: JobInput, granted: Mapping[str, DatasetGrant]) -> dict[str, DatasetGrant]:
    """The grants by every name that the run may use."""
    return {**granted, **{alias: granted[key] for alias, key in aliases_of(definition).items()}}


def faults_of(definition: JobInput, unknown: Mapping[str, Fault]) -> Iterator[Fault]:
    """What is wrong with `datasets`: an alias that two have, and names of datasets that were not found."""
    seen = set[str]()
    for place, one in enumerate(definition.datasets):
        if one.alias in seen:
            yield Fault(f"datasets.{place}.alias", "another dataset of the job has this alias", one.alias)
        seen.add(one.alias)
        if fault := unknown.get(one.dataset_id):
            yield replace(fault, field=f"datasets.{place}.datasetId", value=one.dataset_id)
        for index, named in enumerate(one.snapshots.snapshot_datasets if one.snapshots else ()):
            if fault := unknown.get(named.dataset_id):
                field = f"datasets.{place}.snapshots.snapshotDatasets.{index}"
                yield replace(fault, field=field, value=named.dataset_id)
