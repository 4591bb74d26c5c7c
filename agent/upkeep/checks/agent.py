"""Is there an agent, does it answer, and has one before it left something running?"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from agent.upkeep.findings import Finding, error, listed, warning
from agent.upkeep.layout import Layout
from agent.workers.strays import find_forsaken
from shared.places import socket_path
from shared.sockets import way_to

PATIENCE = 10.0
"""Seconds that the agent has for an answer."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The agent that has the folder, as it signed the lock; without a name where that is no longer to be had."""

    pid: int | None
    since: str | None


def find_holder(layout: Layout) -> Holder | None:
    """None if no agent has the folder. The kernel is asked, for a signature outlives its writer."""
    if _is_held(layout.lock):
        return _signed(layout.lock.read_text(encoding="utf-8"))
    return Holder(None, None) if _is_held(layout.root) else None


def _is_held(path: Path) -> bool:
    try:
        opened = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared and let go at once; an agent that starts in this very moment would be told to try again.
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # of a folder that cannot be locked
        return False
    finally:
        os.close(opened)
    return False


def check_agent(layout: Layout, holder: Holder | None) -> Iterator[Finding]:
    if holder is not None:
        yield from _check_answer(layout, holder)
    if holder is not None and holder.pid is None:
        yield warning(
            "agent", f"{layout.lock.name}, which names the agent, was deleted or replaced", "start the agent again"
        )
    forsaken = find_forsaken(str(layout.root.resolve()))
    if forsaken:
        pids = listed([str(process.pid) for process in forsaken])
        yield warning(
            "strays",
            f"{len(forsaken)} processes of an agent that is no more still run: {pids}",
            "start the agent: it ends them before it gives their runs on",
        )


def _check_answer(layout: Layout, holder: Holder) -> Iterator[Finding]:
    try:
        transport = httpx.HTTPTransport(uds=way_to(socket_path(layout.root)), verify=False)
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=PATIENCE) as client:
            answer = client.get("/readyz")
        told = answer.json()
    except (httpx.HTTPError, ValueError) as refusal:
        yield error(
            "agent",
            f"the agent (pid {holder.pid}) has the folder and does not answer: {refusal or type(refusal).__name__}",
            "look at its log; if it hangs, end it and start it again",
        )
        return
    if answer.status_code != httpx.codes.OK:
        yield error(
            "agent",
            f"the agent (pid {holder.pid}) is not ready: store: {told.get('store')}; workers: {told.get('workers')}",
            "look at its log; an agent in --maintenance has no workers by intent",
        )


def _signed(text: str) -> Holder:
    try:
        signature = json.loads(text)
        return Holder(int(signature["pid"]), str(signature["started"]))
    except (ValueError, KeyError, TypeError):
        return Holder(None, None)
