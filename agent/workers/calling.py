"""A call of a driver's code: its parameters in, its masked result out."""

from __future__ import annotations

from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.core.running.masking import Masking
from agent.core.running.nesting import DEEPEST_RESULT, is_deeper
from agent.workers.context import WorkerContext
from agent.workers.entries import parameters
from agent.workers.plain import plain

RESULT_LIMIT = 4 * 1024 * 1024
"""Characters of a result as JSON: it is stored with the run, files are for more."""


def call_driver(worker: WorkerContext, context: RunContext, entry: str, data: dict[str, Any]) -> dict[str, Any]:
    """`context` is what the driver sees of the run that `worker` has: all of it, or one step."""
    function, checked = parameters(entry, data)
    worker.check_cancelled()
    worker.in_driver = True
    try:
        result = function(context, checked)
    finally:
        worker.in_driver = False
    return kept(result, worker.masking)


def kept(result: Any, masking: Masking) -> dict[str, Any]:
    """A result as it is stored. DriverError if it cannot be."""
    if not isinstance(result, dict):
        raise DriverError("driver", f"the driver returned {type(result).__name__}, not a dict")
    if not result:
        return {}
    if is_deeper(result, DEEPEST_RESULT):  # the agent could not read it
        message = f"the result is nested deeper than {DEEPEST_RESULT} levels; write a file instead"
        raise DriverError("result_too_deep", message)
    masked: dict[str, Any] = masking.value(plain(result))
    if len(str(masked)) > RESULT_LIMIT:
        message = f"the result is larger than {RESULT_LIMIT} characters; write a file instead"
        raise DriverError("result_too_large", message)
    return masked
