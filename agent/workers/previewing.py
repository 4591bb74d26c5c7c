"""Previews of actions, each in a process of its own; two at a time, and none for long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from typing import Any

from agent.core.ports.previewing import Previewed, PreviewTask

SECONDS = 40.0
AT_ONCE = 2
LARGEST = 16 * 1024 * 1024
"""Bytes of an answer."""
_COMMAND = (sys.executable, "-I", "-m", "agent.workers.preview_child")


class ProcessPreviewer:
    """Implements `Previewer`."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)

    async def preview(self, task: PreviewTask) -> Previewed:
        async with self._places:
            scratch = await asyncio.to_thread(tempfile.mkdtemp, prefix="jobdeck-preview-")
            try:
                return await _asked(_written(task, scratch))
            finally:
                await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def _asked(task: bytes) -> Previewed:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # with what it starts, it is ended as one
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(task)
    except TimeoutError:
        return Previewed(problem=f"it takes longer than {SECONDS:g} s")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return _read(answer)


def _read(answer: bytes) -> Previewed:
    if not answer or len(answer) > LARGEST:
        return Previewed(problem="it could not be told within the bounds of time and memory")
    return Previewed(**json.loads(answer))


def _written(task: PreviewTask, scratch: str) -> bytes:
    told: dict[str, Any] = asdict(task)
    told["action"] = task.action.model_dump(mode="json")
    told["steps"] = {step: done.model_dump(mode="json") for step, done in task.steps.items()}
    told["mail_server"] = task.mail_server.model_dump(mode="json") if task.mail_server else None
    return json.dumps({**told, "scratch": scratch}).encode("utf-8", "replace")
