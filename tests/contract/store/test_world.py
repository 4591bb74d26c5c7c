from __future__ import annotations

import pytest

from agent.core.driving import Needs
from agent.core.ports import Store
from agent.core.records import JobChange
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.models import Connection, KnowledgeBase
from tests.contract.store.making import MINUTE, NOW, Maker, dataset, marks


def connection(name: str = "orders_db", **fields: object) -> Connection:
    given = {
        "id": new_id(),
        "name": name,
        "kind": "sqlite",
        "url": "sqlite:///x",
        "account_id": "main",
        "created_at": NOW,
    }
    return Connection.model_validate({**given, **fields})


def base(name: str = "orders_kb", account: str = "main") -> KnowledgeBase:
    return KnowledgeBase(
        id=new_id(), number=0, name=name, account_id=account, embedder="wordllama", dimensions=256,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


async def test_a_secret_is_replaced_listed_by_name_and_kept_while_it_is_used(store: Store) -> None:
    await store.put_secret("main", "db", b"\x00one", NOW)
    await store.put_secret("main", "db", b"two\xff", NOW + MINUTE)
    await store.put_secret("other", "db", b"theirs", NOW)
    assert await store.secret_ciphertext("main", "db") == b"two\xff"
    assert [(each.name, each.updated_at) for each in await store.list_secrets("main")] == [("db", NOW + MINUTE)]
    used = await store.insert_connection(connection(secret_name="db"))
    with pytest.raises(Conflict):
        await store.delete_secret("main", "db")
    await store.delete_connection("main", used.name)
    await store.delete_secret("main", "db")
    with pytest.raises(NotFound):
        await store.get_secret("main", "db")
    with pytest.raises(NotFound):
        await store.delete_secret("main", "db")


async def test_what_is_private_is_listed_to_its_owner_and_to_nobody_else(store: Store) -> None:
    await store.insert_connection(connection("open", owner_id="anna-id"))
    await store.insert_connection(connection("hers", owner_id="anna-id", visibility="private"))
    seen = {user: await store.list_connections("main", user) for user in ("anna-id", "ben-id", None)}
    assert {user: [each.name for each in found] for user, found in seen.items()} == {
        "anna-id": ["hers", "open"],
        "ben-id": ["open"],
        None: ["hers", "open"],
    }


async def test_a_connection_is_found_by_id_or_name_within_its_account(store: Store) -> None:
    made = await store.insert_connection(connection())
    assert await store.get_connection("main", made.id) == made == await store.get_connection("main", "orders_db")
    with pytest.raises(Conflict) as conflict:
        await store.insert_connection(connection())
    assert conflict.value.field == "name"
    for account, key in (("other", made.id), ("main", "nothing")):
        with pytest.raises(NotFound):
            await store.get_connection(account, key)
        with pytest.raises(NotFound):
            await store.delete_connection(account, key)
    await store.insert_connection(connection("another"))
    assert [each.name for each in await store.list_connections("main")] == ["another", "orders_db"]


async def test_a_knowledge_base_gets_a_number_that_is_never_given_again(store: Store) -> None:
    one, two = await store.insert_knowledge_base(base("one")), await store.insert_knowledge_base(base("two"))
    assert 0 < one.number < two.number
    assert await store.get_knowledge_base("main", "two") == two
    with pytest.raises(Conflict):
        await store.insert_knowledge_base(base("one"))
    await store.delete_knowledge_base("main", two.id)
    three = await store.insert_knowledge_base(base("three"))
    assert three.number > two.number
    assert [each.name for each in await store.list_knowledge_bases("main")] == ["one", "three"]
    with pytest.raises(NotFound):
        await store.get_knowledge_base("other", "one")


async def test_a_store_that_works_answers_a_ping(store: Store) -> None:
    await store.ping()


async def test_who_works_with_something_now_is_named_and_the_others_are_counted(make: Maker) -> None:
    store = make.store
    orders, other = await store.insert_connection(connection()), await store.insert_connection(connection("other"))
    needs = Needs(connections=(orders.id,))
    jobs = {
        name: await make.job(name, owner=owner)
        for name, owner in (("Sync", "ben-id"), ("Again", "anna-id"), ("Gone", "ben-id"), ("Before", "ben-id"))
    }
    for job in jobs.values():
        await store.replace_job(JobChange(job.id, await store.definition(job.id), marks(), "a", needs=needs), None, NOW)
    await store.delete_job(jobs["Gone"].id, None, NOW)
    before = jobs["Before"]
    await store.replace_job(JobChange(before.id, await store.definition(before.id), marks(), "a"), None, NOW)
    seen = {user: await store.job_users("main", "connection", ["orders_db"], user) for user in (None, "ben-id")}
    assert {user: ([job.name for job in found.items], found.others) for user, found in seen.items()} == {
        None: (["Again", "Sync"], 0),
        "ben-id": (["Sync"], 1),
    }
    assert (await store.job_users("main", "connection", [other.name])).items == []
    assert (await store.job_users("main", "knowledge_base", ["orders_db"])).items == []


async def test_datasets_that_read_from_a_connection_are_named_however_they_name_it(store: Store) -> None:
    orders = await store.insert_connection(connection())
    for name, fields in {
        "by-id": {"connection": orders.id},
        "by-name": {"connection": orders.name, "owner_id": "anna-id", "visibility": "private"},
        "of-none": {"connection": None, "query": None},
        "of-another": {"connection": "orders"},
    }.items():
        await store.insert_dataset(dataset(name, **fields))
    await store.insert_dataset(dataset("elsewhere", "other", connection=orders.name))
    keys = [orders.name, orders.id]
    seen = {user: await store.job_users("main", "connection", keys, user) for user in ("anna-id", "ben-id")}
    assert {user: ([one.name for one in found.datasets], found.other_datasets) for user, found in seen.items()} == {
        "anna-id": (["by-id", "by-name"], 0),
        "ben-id": (["by-id"], 1),
    }
    assert (await store.job_users("main", "dataset", keys)).datasets == []
