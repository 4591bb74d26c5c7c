"""`jobdeck`, whose agent takes two fires of a moment for many; it ends where it is told to, as in the storm."""

from __future__ import annotations

import os
import sys

from agent.services import readying
from tests.acceptance.storm import doomed

DRIVERS = "TEST_DRIVERS"
"""Names a folder of drivers."""


def main() -> int:
    sys.path.append(os.environ[DRIVERS])
    readying.LEAST = 2
    return doomed.main()
