"""Drivers of steps: each writes down that it ran, in the file that its data names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from agent.core.driving import DriverError, RunContext


def note(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Its name, its key and what its step before it brought; then its result."""
    with Path(data["file"]).open("a") as file:
        file.write(f"{data['name']} {context.idempotency_key}\n")
    context.log(f"{data['name']} was here\nand wrote")
    context.progress(1, 2, unit="rows", note="half")
    return {**data.get("result", {}), "seen": {step: done.state for step, done in context.steps}}


def fail(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    note(context, data)
    if data.get("raise"):
        raise ValueError("out of order")
    raise DriverError("no_luck", "it did not work with hush", transient=data.get("transient", False))


def exit_hard(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """The worker dies in the middle of the step, once."""
    note(context, data)
    if not Path(data["file"] + ".died").exists():
        Path(data["file"] + ".died").touch()
        context.save_checkpoint({"half": context.attempt})
        with context.step("inner", "Before the end"):
            pass
        # what was said so far is on its way: nothing is asked of the process any more
        context._worker.flush()  # type: ignore[attr-defined]
        os.kill(os.getpid(), 9)
    return {"own": context.checkpoint}


def quit_process(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    raise SystemExit(3)


def large(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    return {"text": "x" * data["size"]}


def wait(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    context.log("ready")
    while True:
        context.cancelled.wait(60)
        context.check_cancelled()


def fail_when_cancelled(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """As drivers do whose connection is closed under them."""
    context.log("ready")
    context.cancelled.wait()
    raise DriverError("unreachable", "connection reset", transient=True)


def strange(context: RunContext, data: dict[str, Any]) -> dict[str, Any]:
    """Values that no JSON has."""
    return {"path": Path("/tmp/x"), "moment": context.clock.now().replace(year=2020, tzinfo=None), 7: "seven"}
