"""What the two versions of the listing say alike: states, types, and how answers are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from agent.api.errors import TookTooLong
from shared.states import RunState

SMALLEST_PAGE, LARGEST_PAGE, PAGE = 1, 100, 10
MOST_CORPORA = 100

STATES: Mapping[RunState, tuple[str, str]] = {
    RunState.PENDING: ("JOB_STATE__QUEUED", "queued"),
    RunState.RUNNING: ("JOB_STATE__STARTED", "started"),
    RunState.RETRYING: ("JOB_STATE__TRANSIENT_FAILURE_RETRY_IMMINENT", "failed_will_retry"),
    RunState.COMPLETED: ("JOB_STATE__COMPLETED", "completed"),
    RunState.FAILED: ("JOB_STATE__FAILED", "failed"),
    RunState.CANCELLED: ("JOB_STATE__ABORTED", "aborted"),
}
"""As version 1 and version 2 name them. `UNKNOWN`, which both know too, is the state of no run."""

TYPES: Mapping[str, tuple[str, str]] = {
    "corpus-rebuild-vector-index": ("JOB__CORPUS_REBUILD_VECTOR_INDEX", "rebuild_vector_index"),
    "corpus-replace-filter-attrs": ("JOB__CORPUS_REPLACE_FILTER_ATTRS", "replace_filter_attributes"),
}
UNKNOWN_TYPE = ("JOB__UNKNOWN", "unknown")


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """TookTooLong if it is not done by then."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TookTooLong(f"not answered within {seconds:g} s, as 'timeout' wants it") from None
