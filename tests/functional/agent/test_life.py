"""Starting, stopping, and what must not stop the agent."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import sqlite3
import stat
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from agent.api import serving
from agent.api.serving import Listener
from agent.app import open_agent
from agent.settings import Settings
from agent.store import STORE_FILE
from agent.store.engine.lock import take_lock
from shared.clock import ManualClock, SystemClock
from shared.errors import Conflict
from shared.models import ConnectionInput, KnowledgeBaseInput
from tests.acceptance.workers.stage import until
from tests.functional.agent.stage import NOON, Bench, Stage


async def test_an_agent_that_cannot_start_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its port is taken: it is found out last, when workers run already."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(data_dir=tmp_path / "data", bind=f"127.0.0.1:{taken.getsockname()[1]}", workers=1)
        agent = await open_agent(settings)
        with pytest.raises(Exception, match=r"(?i)address|port|bind"):
            await agent.start()
        await agent.stop()
    _assert_free(tmp_path / "data")
    assert not any(psutil.pid_exists(worker.pid) for worker in agent.core.executor.workers())


@pytest.mark.parametrize("steps", [1, 3, 10, 100])
async def test_an_agent_that_is_stopped_while_it_starts(tmp_path: Path, steps: int) -> None:
    agent = await open_agent(Settings(data_dir=tmp_path / "data", bind="127.0.0.1:0", workers=1))
    starting = asyncio.create_task(agent.start())
    for _ in range(steps):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await agent.stop()
    await agent.stop()
    _assert_free(tmp_path / "data")
    assert agent.core.executor.workers() == [] or not agent.works


async def test_a_socket_that_somebody_removes_comes_back_and_who_is_connected_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_LOOKS_EVERY", 0.01)
    agent = await open_agent(Settings(data_dir=tmp_path / "data", bind=""))
    await agent.start(idle=True)
    assert agent.listener is not None
    path = agent.listener.socket
    before = socket.socket(socket.AF_UNIX)
    before.setblocking(False)
    loop = asyncio.get_running_loop()
    with before:
        await loop.sock_connect(before, str(path))
        for _ in range(2):
            shutil.rmtree(path.parent)
            await until(path.exists)
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path), verify=False)) as client:
                assert (await client.get("http://localhost/healthz")).status_code == httpx.codes.OK
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        await loop.sock_sendall(before, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await loop.sock_recv(before, 100)).startswith(b"HTTP/1.1 200")
    await agent.stop()
    assert not path.exists()
    _assert_free(tmp_path / "data")


async def test_what_cannot_be_ended_keeps_nothing_else_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = Listener.stop

    async def stuck(listener: Listener) -> None:
        await leave(listener)
        raise RuntimeError("the door is stuck")

    monkeypatch.setattr(Listener, "stop", stuck)
    agent = await open_agent(Settings(data_dir=tmp_path / "data", bind=""))
    await agent.start(idle=True)
    with pytest.raises(RuntimeError, match="stuck"):
        await agent.stop()
    assert agent.closed
    _assert_free(tmp_path / "data")


async def test_an_agent_that_cannot_be_put_together_leaves_the_store_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("no drivers")

    with monkeypatch.context() as patch:
        patch.setattr("agent.composing.execution.DriverRegistry", broken)
        with pytest.raises(RuntimeError, match="no drivers"):
            await open_agent(Settings(data_dir=tmp_path / "data"), rng=random.Random(1))
    _assert_free(tmp_path / "data")


async def test_two_agents_on_one_folder(stage: Stage) -> None:
    with pytest.raises(Conflict):
        await open_agent(Settings(data_dir=stage.path), clock=ManualClock(NOON))


async def test_a_listener_that_raises_keeps_nobody_from_hearing(stage: Stage) -> None:
    def raising(_: Any) -> None:
        raise RuntimeError("broken listener")

    heard: list[str] = []
    stage.agent.sql.subscribe(raising)
    stage.agent.sql.subscribe(lambda events: heard.extend(event.kind for event in events))
    await stage.minutely()
    await stage.tick()
    assert {"job.created", "fire.recorded", "run.created"} <= set(heard)


@pytest.mark.parametrize("gone", ["connection", "knowledge base"])
async def test_what_a_sync_needs_was_deleted_before_it_ran(stage: Stage, tmp_path: Path, gone: str) -> None:
    source = tmp_path / "orders.db"
    with sqlite3.connect(source) as rows:
        rows.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TEXT)")
    world = stage.core.world
    await world.create_connection(stage.me, ConnectionInput(name="shop", url=f"sqlite:///{source}"))
    await world.create_knowledge_base(stage.me, KnowledgeBaseInput(name="orders-kb"))
    data = {"source_table": "shop.orders", "knowledge_base": "orders-kb", "content_columns": ["product"],
            "filter_column": "updated_at"}  # fmt: skip
    job = await stage.job(type="kb-sync", data=data)
    if gone == "connection":
        await world.delete_connection(stage.me, "shop")
    else:
        await world.delete_knowledge_base(stage.me, "orders-kb")
    run = await stage.core.jobs.run_now(stage.me, job.id)
    stage.man(Bench("w"))
    await stage.dispatch()
    failed = await stage.core.runs.get(stage.me, run.id)
    name = "shop" if gone == "connection" else "orders-kb"
    assert (failed.state, failed.attempt) == ("failed", 1)
    assert f"there is no {gone} '{name}'" in failed.error.message


async def test_a_password_is_masked_as_it_is_and_as_urls_write_it(stage: Stage) -> None:
    from agent.core.driving import Needs
    from agent.core.running.masking import Masking

    url = "postgresql://reader:p%40ss%2Fw%20rd@127.0.0.1/orders"
    await stage.core.world.create_connection(stage.me, ConnectionInput(name="shop", url=url))
    grants, _ = await stage.core.jobs._checking._granting.grant(stage.me.account_id, Needs(connections=("shop",)))
    masking = Masking(list(grants.mask))
    assert masking.text("password p@ss/w rd refused") == "password ••• refused"
    assert "ss" not in masking.text(grants.connections["shop"].url).replace("postgresql", "")


async def test_the_log_of_every_ended_run_is_sealed_also_when_many_end_at_once(stage: Stage) -> None:
    from agent.services.sealer import Sealer

    sealer, sealed = stage.duty(Sealer), []

    async def seal(*run_ids: str) -> None:
        sealed.extend(run_ids)
        if "ended meanwhile" not in sealed:
            sealer._ended.append("ended meanwhile")

    stage.agent.logs.seal = seal  # type: ignore[method-assign]
    sealer._ended.extend(["first", "second"])
    await sealer.poll()
    assert sealed == ["first", "second", "ended meanwhile"]


def _assert_free(folder: Path) -> None:
    """Another agent may open it."""
    take_lock(folder / STORE_FILE, SystemClock()).release()
