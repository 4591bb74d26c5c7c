"""A run's limits on the agent's side: what its keeper is to look at, and the words for what was exceeded."""

from __future__ import annotations

import contextlib
import json
import resource
import sys

from agent.core.running.fingerprint import fingerprint
from agent.core.wire import Exceeded, Order, RunMessage
from agent.workers import gauge
from shared.models import RunError
from shared.sizes import format_size, show_size

_NAMES = {"memory": "memory limit", "output": "output limit", "open_files": "open files limit"}


def is_watched(order: Order) -> bool:
    """Whether the keeper has something to look at; output is counted by the worker, where it is made."""
    return order.limits.memory is not None or order.limits.open_files is not None


def begin_watch(order: Order, worker: int) -> bytes:
    """What the keeper is told before the worker, which is idle now, gets the order."""
    if order.limits.open_files is not None:
        _widen(worker)
    watch = gauge.Watch(
        run=name_of(order),
        memory=order.limits.memory,
        open_files=order.limits.open_files,
        memory_before=gauge.memory_of(worker),
        files_before=gauge.files_of(worker),
    )
    return b"w" + json.dumps(watch._asdict()).encode() + b"\n"


def end_watch(order: Order, worker: int) -> bytes:
    """What the keeper is told when the run is over."""
    if order.limits.open_files is not None:
        _narrow(worker)
    return b"u\n"


def name_of(run: Order | RunMessage) -> str:
    return f"{run.run_id}:{run.attempt}"


def error_of(order: Order, exceeded: Exceeded) -> RunError:
    """The run's error, as in `memory limit of 64 MB exceeded: 80 MB`; never transient."""
    kind = f"{exceeded.limit}_limit"
    allowed = getattr(order.limits, exceeded.limit) or 0
    if exceeded.limit == "open_files":
        limit, used = str(allowed), str(exceeded.used)
    else:
        limit, used = format_size(allowed), show_size(exceeded.used, beside=allowed)
    message = f"{_NAMES[exceeded.limit]} of {limit} exceeded: {used}"
    return RunError(kind=kind, message=message, fingerprint=fingerprint(order.type, kind, _NAMES[exceeded.limit]))


def _widen(worker: int) -> None:
    """Let the run's processes open as many files as the system's hard limit has: one that the soft limit stops would
    fail on its own, for a reason that names no limit of the job, before anybody has seen how many it holds."""
    _set_soft(worker, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _narrow(worker: int) -> None:
    _set_soft(worker, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _set_soft(worker: int, soft: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # it is gone
            hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)[1]  # a run may have lowered it
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (min(soft, hard), hard))
