"""Which Jobdeck this is."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def release() -> str:
    """The version that runs, as it was when it was first asked: what is installed meanwhile is not loaded. To read it costs
    more than all else of a small answer."""
    return metadata.version("jobdeck")
