"""From a command to the agent and back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from console.client import AgentClient, Target, resolve
from console.settings import Settings, load
from shared.errors import InvalidInput, JobdeckError, NotFound, Unavailable
from shared.ids import is_id, run_number
from shared.models import Run
from shared.places import console_config
from shared.starting import wait_for_start

T = TypeVar("T")
_PATIENCE = 120.0
"""For an agent that is starting: on a busy machine, with a store to bring up, it may take its time."""


def call(work: Callable[[AgentClient], Awaitable[T]]) -> T:
    """Open the client that environment and settings name, do the work, close it."""
    target = the_target()
    await_start(target)

    async def scope() -> T:
        async with AgentClient(target) as client:
            return await work(client)

    return asyncio.run(scope())


def await_start(target: Target) -> None:
    """An agent that was started this very moment is waited for; Unavailable if it takes too long."""
    if target.socket is not None and not wait_for_start(target.socket, _PATIENCE):
        raise Unavailable(f"the agent at {target.address} is starting since {_PATIENCE:g} s; its log may say why")


def the_target() -> Target:
    """The agent that environment and settings name."""
    return resolve(os.environ, os.geteuid(), the_settings())


async def find_run(client: AgentClient, key: str) -> Run:
    """A run by its number or id, or the newest run of a job. What looks like a number is one: a job that is called so
    has other names."""
    number = run_number(key)
    if number is not None:
        return await client.runs.numbered(number)
    try:
        if is_id(key):
            return await client.runs.get(key)
    except NotFound as no_run:
        try:
            job = await client.jobs.get(key)  # ids of jobs look the same
        except NotFound:
            raise no_run from None
    else:
        try:
            job = await client.jobs.get(key)
        except NotFound:
            raise NotFound(f"there is no run and no job '{key}'") from None
    page = await client.runs.page(job_id=job.id, limit=1)
    if not page.items:
        raise NotFound(f"the job '{job.slug}' has no run yet")
    return page.items[0]


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, where no is the default answer; elsewhere only `--yes` will do. Abort ends the command."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InvalidInput.one("--yes", f"is needed where nobody can be asked: {question}")
    if not typer.confirm(question, default=False, err=True):
        raise JobdeckError("nothing was done")


def the_settings() -> Settings:
    """The console's; the defaults where there is no home to look in."""
    try:
        path = console_config(os.environ)
    except InvalidInput:
        return Settings()  # without a home there is no file
    return load(path)
