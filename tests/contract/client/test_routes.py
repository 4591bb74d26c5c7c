"""Every route that the console uses, against a real agent: shapes, guards, refusals."""

from __future__ import annotations

import pytest

from console.client import AgentClient
from shared.errors import Conflict, InvalidInput, NotFound, StaleVersion
from shared.models import ConnectionInput, KnowledgeBaseInput
from tests.contract.client.conftest import command
from tests.harness.agent import NOW, RunningAgent


async def test_a_job_from_birth_to_end(client: AgentClient) -> None:
    born = await client.jobs.create(command(intervalType="cron", interval="0 2 * * *", timezone="Europe/Berlin"))
    assert (born.slug, born.version, born.next_run_at is not None) == ("backup", 1, True)
    assert (await client.jobs.get("backup")).id == born.id
    changed = await client.jobs.replace(born.id, command(description="nightly"), born.version)
    assert (changed.description, changed.revision) == ("nightly", 2)
    with pytest.raises(StaleVersion):
        await client.jobs.replace(born.id, command(), born.version)
    with pytest.raises(StaleVersion):
        await client.jobs.delete(born.id, born.version)
    assert [each.revision for each in await client.jobs.revisions(born.id)] in ([1, 2], [2, 1])
    assert (await client.jobs.pause(born.id)).paused_at is not None
    assert (await client.jobs.resume(born.id)).paused_at is None
    await client.jobs.delete(born.id)
    with pytest.raises(NotFound):
        await client.jobs.get(born.id)


async def test_jobs_come_in_pages(client: AgentClient) -> None:
    for letter in "abc":
        await client.jobs.create(command(f"Job {letter}"))
    page = await client.jobs.page(limit=2, sort="-name")
    assert ([each.name for each in page.items], page.total) == (["Job c", "Job b"], 3)
    rest = await client.jobs.page(limit=2, start=2, sort="-name")
    assert [each.name for each in rest.items] == ["Job a"]
    assert [each.name for each in (await client.jobs.page(q="b")).items] == ["Job b"]


async def test_wrong_values_come_back_by_name(client: AgentClient) -> None:
    with pytest.raises(InvalidInput) as caught:
        await client.jobs.create(command(intervalType="cron", interval="61 * * * *"))
    assert [fault.field for fault in caught.value.faults] == ["interval"]
    found = await client.jobs.check(command(intervalType="cron", interval="61 * * * *"))
    assert [fault.field for fault in found.faults] == ["interval"]


async def test_a_taken_name_is_a_conflict(client: AgentClient) -> None:
    await client.jobs.create(command())
    with pytest.raises(Conflict):
        await client.jobs.create(command())


async def test_schedules_are_shown_before_they_are_stored(client: AgentClient) -> None:
    found = await client.jobs.check(command(intervalType="simple", interval="10 minutes"))
    assert (found.faults, len(found.next_fires) > 0, found.schedule_text) == ([], True, "every 10 minutes")
    times = await client.jobs.fire_times("cron", "30 2 * * *", "Europe/Berlin", after=NOW, count=40)
    assert len(times.fire_times) == 40
    assert all(each.tzinfo is not None for each in times.fire_times)


async def test_job_types_are_known(client: AgentClient) -> None:
    drivers = {each.type: each for each in await client.jobs.drivers()}
    assert drivers["command"].runs_programs
    assert "command" in drivers["command"].fields["properties"]


async def test_a_run_from_asking_to_running_again(client: AgentClient) -> None:
    job = await client.jobs.create(command())
    run = await client.jobs.run("backup")
    assert (await client.runs.get(run.id)).state == "pending"
    with pytest.raises(Conflict):
        await client.runs.rerun(run.id)
    cancelled = await client.runs.cancel(run.id, run.version)
    assert cancelled.state == "cancelled"
    with pytest.raises(Conflict):
        await client.runs.cancel(run.id)
    again = await client.runs.rerun(run.id, cancelled.version)
    assert again.original_run_id == run.id
    assert (await client.runs.counts()).counts["pending"] == 1
    assert [each.id for each in (await client.runs.page(job_id=job.id)).items] == [again.id, run.id]
    assert (await client.runs.steps(run.id), await client.runs.attempts(run.id)) == ([], [])
    assert (await client.runs.log(run.id)).lines == []
    assert (await client.jobs.explain("backup")).active_runs[0].id == again.id


async def test_runs_come_in_pages_each_once(client: AgentClient) -> None:
    await client.jobs.create(command(policies={"overlap": "allow"}))
    asked = [(await client.jobs.run("backup")).id for _ in range(5)]
    first = await client.runs.page(limit=2)
    second = await client.runs.page(limit=2, before=first.before)
    assert [each.id for each in [*first.items, *second.items]] == asked[:0:-1]
    assert [each.id async for each in client.runs.every(at_most=4)] == asked[:0:-1]
    assert [each.id async for each in client.runs.every(where="state:failed", at_most=4)] == []


async def test_many_runs_answer_each_for_itself(client: AgentClient) -> None:
    await client.jobs.create(command(policies={"overlap": "allow"}))
    runs = [await client.jobs.run("backup") for _ in range(3)]
    await client.runs.cancel(runs[0].id)
    items = await client.runs.bulk("cancel", [(each.id, each.version) for each in runs])
    assert [(item.id, item.ok) for item in items] == [(runs[0].id, False), (runs[1].id, True), (runs[2].id, True)]
    assert items[0].error is not None
    assert items[0].error.message


async def test_an_undoable_cancel_is_taken_back(client: AgentClient) -> None:
    await client.jobs.create(command())
    run = await client.jobs.run("backup")
    leaving = await client.runs.cancel(run.id, run.version, undoable=True)
    assert (leaving.state, leaving.cancel_due_at is None) == ("pending", False)
    back = await client.runs.uncancel(run.id, leaving.version)
    assert back.cancel_due_at is None
    [item] = await client.runs.bulk("cancel", [(run.id, back.version)], undoable=True)
    assert item.run is not None
    assert item.run.cancel_due_at is not None
    [item] = await client.runs.bulk("uncancel", [(run.id, item.run.version)])
    assert item.ok
    with pytest.raises(Conflict, match="no cancel of it waits"):
        await client.runs.uncancel(run.id)


async def test_the_world_around(client: AgentClient) -> None:
    info = await client.world.agent()
    assert info.now.tzinfo is not None
    assert (await client.world.me()).via == "socket"
    assert isinstance(await client.world.workers(), list)
    assert (await client.world.fires()).items == []


async def test_connections_and_knowledge_bases(client: AgentClient, agent: RunningAgent) -> None:
    added = await client.world.add_connection(
        ConnectionInput(name="here", url=f"sqlite:///{agent.agent.settings.data_dir.parent}/t.db")
    )
    assert [each.name for each in await client.world.connections()] == ["here"]
    await client.world.delete_connection(added.id)
    assert await client.world.connections() == []
    base = await client.world.create_knowledge_base(KnowledgeBaseInput(name="orders"))
    assert [each.id for each in await client.world.knowledge_bases()] == [base.id]
    await client.world.delete_knowledge_base(base.id)


@pytest.mark.parametrize("key", ["../agent", "a/b", "..%2fagent", "a?limit=1", "a#b", "naïve"])
async def test_no_key_reaches_another_route(client: AgentClient, key: str) -> None:
    with pytest.raises(NotFound):
        await client.jobs.get(key)


@pytest.mark.parametrize("key", ["", ".", "..", "a\nb"])
async def test_a_key_that_is_none_is_refused_before_it_is_sent(client: AgentClient, key: str) -> None:
    with pytest.raises(InvalidInput):
        await client.jobs.get(key)


async def test_over_tcp_a_token_decides(agent: RunningAgent) -> None:
    from console.client import Target
    from shared.errors import Forbidden, Unauthenticated

    async with AgentClient(Target("there", agent.url)) as nobody:
        with pytest.raises(Unauthenticated):
            await nobody.jobs.page()
    async with AgentClient(Target("there", agent.url, token=await agent.token("read"))) as reader:
        assert (await reader.jobs.page()).total == 0
        with pytest.raises(Forbidden):
            await reader.jobs.create(command())
