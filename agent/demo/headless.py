"""The main job once, from outside: post it, wait for its run, search what it brought in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from agent.demo.shop import ORDERS, PLANTED, QUESTION
from agent.demo.world import DemoWorld
from shared.models import Run
from shared.places import socket_path
from shared.sockets import way_to
from shared.states import FINAL, RunState

JOB_NAME = "sync_orders_demo"
"""Not the name of the documented example: that one stays free for whoever tries it."""
_AHEAD = timedelta(seconds=2)
_DEADLINE = 120.0


class DemoFailed(Exception):
    """The demo did not do what it shows; the message says what went wrong."""


async def play_main_job(world: DemoWorld) -> None:
    """Print the job, the run, rows per second and the hits; DemoFailed if any is not as it should be."""
    job = await _post_example(world)
    print(f"\njob    {job['job_id']}  {job['job_name']}  {job['status']}, first run at {job['next_run']}", flush=True)
    run = await _first_run(world, job["job_id"])
    _print_run(run)
    hits = await _search(world)
    print(f'\nsearch "{QUESTION}" in orders_kb')
    for place, hit in enumerate(hits, start=1):
        print(f"  {place}. {hit['score']:.3f}  {' · '.join(hit['text'].splitlines())[:110]}")
    if not hits or PLANTED[0] not in hits[0]["text"]:
        raise DemoFailed(f"'{PLANTED[0]}' should be the first hit")
    print("\nThe table is searchable. In a terminal, `make demo` opens the console on this world.")


async def _post_example(world: DemoWorld) -> dict[str, Any]:
    """The documented request, without credentials, with dates of today."""
    start = world.agent.core.clock.now() + _AHEAD
    body = {
        "job_name": JOB_NAME,
        "source_table": "orders_db.orders",
        "kb_name": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "created_at",
        "interval": "10 MINUTES",
        "start_time": _naive(start),
        "end_time": _naive(start + timedelta(days=1)),
    }
    async with httpx.AsyncClient(timeout=30, trust_env=False, verify=not world.url.startswith("http:")) as client:
        answer = await client.post(f"{world.url}/jobs/create", json=body)
    if answer.status_code != httpx.codes.CREATED:
        raise DemoFailed(f"POST {world.url}/jobs/create answered {answer.status_code}: {answer.text}")
    created: dict[str, Any] = answer.json()["data"]
    return created


async def _first_run(world: DemoWorld, job_id: str) -> Run:
    """The job's first run when it has ended; told by the events, not by asking again and again."""
    core, changed = world.agent.core, asyncio.Event()
    stop_listening = core.store.subscribe(lambda _events: changed.set())
    try:
        async with asyncio.timeout(_DEADLINE):
            while True:
                changed.clear()
                runs = await core.runs.list(world.caller, job_id=job_id, limit=1)
                if runs and runs[0].state in FINAL:
                    return runs[0]
                await changed.wait()
    except TimeoutError:
        raise DemoFailed(f"the first run did not end within {_DEADLINE:.0f} s") from None
    finally:
        stop_listening()


def _print_run(run: Run) -> None:
    if run.state is not RunState.COMPLETED or run.result is None:
        raise DemoFailed(f"run {run.id} is {run.state}: {run.error.message if run.error else 'no error told'}")
    assert run.started_at is not None
    assert run.finished_at is not None
    seconds = max((run.finished_at - run.started_at).total_seconds(), 0.001)
    rows = run.result["rows_synced"]
    print(f"run    {run.id}  {run.state} in {seconds:.1f} s")
    print(f"rows   {rows:,} synced, {rows / seconds:,.0f} a second, {run.result['bytes_synced']:,} bytes")
    if rows < ORDERS:
        raise DemoFailed(f"{ORDERS:,} rows should have been synced")


async def _search(world: DemoWorld) -> list[dict[str, Any]]:
    transport = httpx.AsyncHTTPTransport(uds=way_to(socket_path(world.agent.settings.data_dir)), verify=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as client:
        answer = await client.post("/api/knowledge-bases/orders_kb/_search", json={"query": QUESTION, "limit": 3})
    if answer.status_code != httpx.codes.OK:
        raise DemoFailed(f"the search answered {answer.status_code}: {answer.text}")
    hits: list[dict[str, Any]] = answer.json()["items"]
    return hits


def _naive(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
