"""Scopes, accounts, tokens: who may do what, and what stays unseen."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.core.permissions.callers import Scope
from agent.core.records import LogSearch
from shared.errors import Conflict, Forbidden, NotFound, Unauthenticated, Unavailable
from shared.ids import new_id
from shared.models import ConnectionInput, JobInput, SecretInput, TokenInput
from tests.functional.agent.stage import Bench, Stage, definition, opened

HARMLESS: dict[str, Any] = {"type": "api-call", "data": {"url": "https://example.org/"}}


async def test_programs_need_code_to_create_and_to_change(stage: Stage) -> None:
    plain = stage.without(Scope.CODE)
    with pytest.raises(Forbidden, match="code"):
        await stage.job("refused", caller=plain)
    program = await stage.job("program")
    harmless = await stage.job("harmless", caller=plain, **HARMLESS)
    with pytest.raises(Forbidden, match="code"):
        await stage.edit(program, caller=plain, description="same program")
    with pytest.raises(Forbidden, match="code"):
        await stage.edit(program, caller=plain, **HARMLESS)
    with pytest.raises(Forbidden, match="code"):
        await stage.edit(harmless, caller=plain, type="command", data={"command": ["true"]})
    found = await stage.core.jobs.get(plain, program.id)
    assert (found.revision, found.type) == (1, "command")


async def test_running_and_stopping_programs_needs_no_code(stage: Stage) -> None:
    """They are as somebody with `code` left them; on call one must be able to hold them."""
    plain = stage.without(Scope.CODE)
    program = await stage.minutely()
    await stage.core.jobs.pause(plain, program.id)
    await stage.core.jobs.resume(plain, program.id)
    run = await stage.core.jobs.run_now(plain, program.id)
    await stage.core.runs.cancel(plain, run.id)
    await stage.core.runs.rerun(plain, run.id)
    await stage.core.jobs.delete(plain, program.id, None)


async def test_a_job_whose_driver_is_gone_can_be_changed_by_who_may_change_programs(stage: Stage) -> None:
    job = await stage.job()
    del stage.core.drivers._manifests["command"]
    with pytest.raises(Forbidden, match="code"):
        await stage.edit(job, caller=stage.without(Scope.CODE), **HARMLESS)
    assert (await stage.edit(job, **HARMLESS)).type == "api-call"


async def test_a_schedule_that_cannot_be_read_can_be_replaced_also_while_paused(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.core.jobs.pause(stage.me, job.id)
    stage.sql("UPDATE jobs SET definition = replace(definition, '* * * * *', 'x * * * *')")
    replaced = await stage.edit(job, interval="*/5 * * * *")
    assert replaced.revision == 2


@pytest.mark.parametrize(
    ("verb", "missing"),
    [
        ("create", Scope.EDIT), ("check", Scope.EDIT), ("pause", Scope.EDIT), ("resume", Scope.EDIT),
        ("delete", Scope.DELETE), ("run_now", Scope.RUN), ("get", Scope.READ), ("list", Scope.READ),
        ("explain", Scope.READ), ("replace", Scope.EDIT),
    ],
)  # fmt: skip
async def test_each_act_on_jobs_needs_its_scope(stage: Stage, verb: str, missing: Scope) -> None:
    job = await stage.job()
    more: dict[str, tuple[Any, ...]] = {
        "create": (definition("other"),), "check": (definition("other"),), "list": (),
        "delete": (job.id, None), "replace": (job.id, definition("Job"), None),
    }  # fmt: skip
    with pytest.raises(Forbidden, match=missing.value):
        await getattr(stage.core.jobs, verb)(stage.without(missing), *more.get(verb, (job.id,)))


async def test_revisions_are_for_who_may_read(stage: Stage) -> None:
    job = await stage.job()
    with pytest.raises(Forbidden, match="read"):
        await stage.core.revisions.list(stage.without(Scope.READ), job.id, None, 10)


async def test_another_accounts_things_are_not_there(stage: Stage) -> None:
    job = await stage.minutely()
    await stage.tick()
    [run] = await stage.runs(job)
    await stage.core.secrets.put(stage.me, "key", SecretInput(value="value"))
    connection = await stage.core.world.create_connection(stage.me, _orders())
    core, other = stage.core, stage.without(account="other")
    by_slug = f"{stage.me.handle}:{job.slug}"
    for key in (job.id, job.slug, by_slug):
        for act in (core.jobs.get, core.jobs.pause, core.jobs.resume, core.jobs.run_now, core.jobs.explain):
            with pytest.raises(NotFound):
                await act(other, key)
        with pytest.raises(NotFound):
            await core.revisions.list(other, key, None, 10)
        with pytest.raises(NotFound):
            await core.jobs.delete(other, key, None)
        with pytest.raises(NotFound):
            await core.jobs.replace(other, key, definition("Job"), None)
    for act in (core.runs.get, core.runs.steps, core.runs.attempts, core.runs.cancel, core.runs.rerun):
        with pytest.raises(NotFound):
            await act(other, run.id)
    with pytest.raises(NotFound):
        await core.runs.log(other, run.id, 1, 10)
    with pytest.raises(NotFound):
        await core.runs.search_log(other, run.id, LogSearch(level="error"))
    with pytest.raises(NotFound):
        await core.runs.follow(other, run.id, 1)
    for act in (core.world.get_connection, core.world.test_connection, core.world.tables,
                core.world.delete_connection):  # fmt: skip
        for key in (connection.id, connection.name):
            with pytest.raises(NotFound):
                await act(other, key)
    with pytest.raises(NotFound):
        await core.secrets.delete(other, "key")
    assert await core.runs.list(other) == []
    assert await core.runs.list(other, job_id=job.id) == []
    assert sum((await core.runs.counts(other)).values()) == 0
    assert await core.jobs.list(other) == ([], 0)
    assert await core.world.list_connections(other) == await core.secrets.list(other) == []
    assert await stage.agent.sql.list_fires("other", job_id=job.id) == []


async def test_a_job_is_replaced_by_its_natural_id(stage: Stage) -> None:
    job = await stage.job("Nightly orders")
    key = f"{stage.me.handle}:nightly-orders"
    replaced = await stage.core.jobs.replace(stage.me, key, definition("Orders by night"), job.version)
    assert (replaced.id, replaced.revision, replaced.slug) == (job.id, 2, "nightly-orders")
    assert isinstance(await stage.agent.sql.definition(job.id, 1), JobInput)


async def test_a_second_connection_of_a_name_leaves_the_firsts_password_alone(stage: Stage) -> None:
    world = stage.core.world
    await world.create_connection(stage.me, _orders("first-password"))
    with pytest.raises(Conflict, match="orders"):
        await world.create_connection(stage.me, _orders("second-password"))
    assert await world._vault.get(stage.me.account_id, "connection-orders") == "first-password"


async def test_a_deleted_connection_leaves_no_password(stage: Stage) -> None:
    world = stage.core.world
    await world.create_connection(stage.me, _orders())
    await world.delete_connection(stage.me, "orders")
    assert await stage.core.secrets.list(stage.me) == []


async def test_a_secret_that_a_connection_was_given_outlives_it(stage: Stage) -> None:
    world = stage.core.world
    await stage.core.secrets.put(stage.me, "shared", SecretInput(value="value"))
    given = ConnectionInput(name="orders", url="postgresql://reader@127.0.0.1/orders", secret_name="shared")
    await world.create_connection(stage.me, given)
    await world.delete_connection(stage.me, "orders")
    assert [secret.name for secret in await stage.core.secrets.list(stage.me)] == ["shared"]


async def test_a_revoked_token_opens_nothing_from_that_moment_on(stage: Stage) -> None:
    gate = stage.core.gate
    made = await gate.tokens.create(stage.me, TokenInput(name="t", scopes=["read"]))
    await gate.by_bearer(made.token)
    await gate.tokens.revoke(stage.me, made.info.id)
    with pytest.raises(Unauthenticated):
        await gate.by_bearer(made.token)


async def test_wrong_tokens_read_alike(stage: Stage) -> None:
    gate = stage.core.gate
    made = await gate.tokens.create(stage.me, TokenInput(name="t", scopes=["read"]))
    await gate.tokens.revoke(stage.me, made.info.id)
    said = set()
    for wrong in [made.token, *(f"jd_{new_id()}" for _ in range(50)), "", "\x00", "ü" * 1000]:
        with pytest.raises(Unauthenticated) as refused:
            await gate.by_bearer(wrong)
        said.add(str(refused.value))
    assert len(said) == 1


async def test_a_full_disk_shuts_nobody_out(stage: Stage) -> None:
    made = await stage.core.gate.tokens.create(stage.me, TokenInput(name="t", scopes=["read"]))

    async def full(*_: Any) -> None:
        raise Unavailable("the store cannot be written: the disk is full")

    stage.agent.sql.touch_tokens = full  # type: ignore[method-assign, assignment]
    assert (await stage.core.gate.by_bearer(made.token)).scopes == {Scope.READ}


async def test_admin_does_not_give_what_it_does_not_have(stage: Stage) -> None:
    with pytest.raises(Forbidden, match="code"):
        await stage.core.gate.tokens.create(stage.without(Scope.CODE), TokenInput(name="t", scopes=["code"]))
    with pytest.raises(NotFound):
        await stage.core.gate.tokens.create(stage.without(), TokenInput(name="t", scopes=["read"], account="other"))


async def test_many_acts_at_once_make_one_job_of_a_name(stage: Stage) -> None:
    made = await asyncio.gather(*(stage.job("same") for _ in range(10)), return_exceptions=True)
    assert sum(not isinstance(each, BaseException) for each in made) == 1
    assert all(isinstance(each, Conflict) for each in made if isinstance(each, BaseException))


def _orders(password: str = "pass-word") -> ConnectionInput:
    return ConnectionInput(name="orders", url=f"postgresql://reader:{password}@127.0.0.1/orders")


async def test_what_a_run_gets_of_a_source_says_how_long_a_query_may_take(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", query_timeout="5 minutes") as stage:
        bench = stage.man(Bench("w1"))
        database = tmp_path / "shop.db"
        with closing(sqlite3.connect(database)) as source:
            source.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        await stage.core.world.create_connection(stage.me, ConnectionInput(name="shop", url=f"sqlite:///{database}"))
        job = await stage.job("Out", type="export", data={"table": "shop.orders", "format": "csv"})
        await stage.core.jobs.run_now(stage.me, job.id)
        await stage.dispatch()
        [order] = bench.orders.values()
        assert order.connections["shop"].query_seconds == 300


async def test_the_files_of_an_account_are_out_of_the_others_reach(stage: Stage) -> None:
    """What one has exported the jobs of another could import."""
    account = stage.agent.settings.account
    await stage.core.store.ensure_account("other", stage.me.user_id, "operator", stage.clock.now())
    bench = stage.man(Bench("w1", "w2"))
    for caller in (stage.me, stage.without(account="other")):
        job = await stage.job("Files", caller=caller)
        await stage.core.jobs.run_now(caller, job.id)
    await stage.dispatch()
    roots = {order.account_id: Path(order.file_roots[0]) for order in bench.orders.values()}
    assert set(roots) == {account, "other"}
    assert not roots["other"].is_relative_to(roots[account])
    assert not roots[account].is_relative_to(roots["other"])
