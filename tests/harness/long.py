"""What differs between `make test` and `make soak`: how much, and what chance draws.

`make test` takes the same few examples each time. `make soak` takes the tests that are marked `soak`, and every property
with ten times its examples; what it draws follows from one seed, which it prints.

    JOBDECK_SOAK_SEED    that seed (`make soak SEED=…`)
    JOBDECK_SOAK_FULL    sizes beyond what an hour has room for (`make soak FULL=1`)
"""

from __future__ import annotations

import os
import random
from typing import Any

from hypothesis import HealthCheck, settings

_SEED = "JOBDECK_SOAK_SEED"
_TIMES = 10


def is_soak() -> bool:
    return _SEED in os.environ


def begin_soak() -> int:
    """Of this process and of those that it starts; the seed."""
    os.environ.setdefault(_SEED, str(random.SystemRandom().randrange(2**32)))
    return int(os.environ[_SEED])


def seed(of: str) -> int:
    """For one test: another for each, and all from the one of the soak."""
    return random.Random(f"{os.environ[_SEED]} {of}").randrange(2**32)


def size(usual: int, full: int) -> int:
    return full if os.environ.get("JOBDECK_SOAK_FULL") else usual


def examples(count: int, *accepted: HealthCheck, **given: Any) -> settings:
    """So many of a property in `make test`. How long one takes is the machine's affair."""
    return settings(
        max_examples=count * _TIMES if is_soak() else count,
        derandomize=not is_soak(),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, *accepted],
        **given,
    )
