"""Pages of jobs, in every order that they can be listed in."""

from __future__ import annotations

import pytest

from agent.core.ports import Store
from shared.errors import InvalidInput
from shared.models import Job
from tests.contract.store.making import MINUTE, NOW, Maker

SORTS = ["name", "type", "createdAt", "updatedAt", "nextRunAt", "enabled"]


@pytest.fixture
async def many(make: Maker) -> list[Job]:
    """Of two types, some disabled, every third without a next fire; another account's beside them."""
    await make.job("theirs", account="other", next_fire_at=NOW)
    jobs = [
        await make.job(
            f"Job {number:02}",
            type=("command", "kb-sync")[number % 2],
            enabled=number % 5 > 0,
            next_fire_at=None if number % 3 == 0 else NOW + MINUTE * (number * 7 % 11),
        )
        for number in range(23)
    ]
    gone = await make.job("gone", next_fire_at=NOW)
    await make.store.delete_job(gone.id, None, NOW)
    return jobs


async def paged(store: Store, sort: str, size: int) -> list[Job]:
    found: list[Job] = []
    while True:
        page, total = await store.list_jobs("main", sort=sort, limit=size, start=len(found))
        assert total == 23
        found += page
        if len(page) < size:
            return found


def key_of(job: Job, sort: str) -> object:
    values = {
        "name": job.name.lower(), "type": job.type, "createdAt": job.created_at, "updatedAt": job.updated_at,
        "nextRunAt": job.next_run_at, "enabled": job.enabled,
    }  # fmt: skip
    return values[sort]


@pytest.mark.parametrize("size", [4, 23, 200])
@pytest.mark.parametrize("sort", SORTS)
async def test_pages_put_together_are_all_jobs_in_order(store: Store, many: list[Job], sort: str, size: int) -> None:
    up = await paged(store, sort, size)
    down = await paged(store, f"-{sort}", size)
    assert {job.id for job in up} == {job.id for job in down} == {job.id for job in many}
    there = [[key_of(job, sort) for job in found if key_of(job, sort) is not None] for found in (up, down)]
    assert there[0] == sorted(there[0])
    assert there[1] == sorted(there[1], reverse=True)


@pytest.mark.parametrize("sort", ["nextRunAt", "-nextRunAt"])
async def test_what_does_not_fire_comes_last_both_ways(store: Store, many: list[Job], sort: str) -> None:
    fires = [job.next_run_at is not None for job in await paged(store, sort, 5)]
    assert fires == sorted(fires, reverse=True)
    assert sum(fires) == sum(job.next_run_at is not None for job in many)


async def test_an_order_that_there_is_not_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput):
        await store.list_jobs("main", sort="colour")


async def test_a_job_has_its_natural_id(store: Store, make: Maker) -> None:
    job = await make.job("Nightly dump")
    assert job.natural_id == "anna:nightly-dump"
    assert (await store.get_job("main", job.natural_id)).id == job.id
