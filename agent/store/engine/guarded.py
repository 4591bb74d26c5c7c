"""Calls of those who listen: what one of them raises is logged, and keeps nothing from anybody else."""

from __future__ import annotations

import logging
from collections.abc import Callable

_log = logging.getLogger(__name__)


def guarded(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:
        _log.exception("a listener of the store failed")
