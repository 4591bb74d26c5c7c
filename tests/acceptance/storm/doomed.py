"""`jobdeck`, whose agent ends by KILL at a point that JOBDECK_TEST_DIES names: `verb:before:2` is right before the
commit of the second group of writes in which that verb of the store takes part, `verb:after:2` right after it, before
anybody is told."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

import sqlalchemy as sa

from agent.store.engine import writer
from shared.launcher import main as jobdeck

VARIABLE = "JOBDECK_TEST_DIES"
VERBS = (
    "fires.settlement.settle",
    "runs.claims.claim",
    "runs.leases.extend",
    "runs.updates.write",
    "runs.outcomes.finish",
    "world.workers.put_workers",
)
"""What an agent writes by itself while it works."""


def main() -> int:
    if os.environ.get(VARIABLE):
        _Doom(*os.environ[VARIABLE].split(":")).await_it()
    return jobdeck()


class _Doom:
    def __init__(self, verb: str, moment: str, number: str) -> None:
        self._verb = verb
        self._moment = moment
        self._left = int(number)
        self._writes = False
        """The verb takes part in the group that is being written."""

    def await_it(self) -> None:
        module_name, name = self._verb.rsplit(".", 1)
        module = importlib.import_module(f"agent.store.{module_name}")
        setattr(module, name, self._noting(getattr(module, name)))
        commit = writer.commit

        def commit_and_die(connection: sa.Connection) -> None:
            self._reach("before")
            commit(connection)
            self._reach("after")
            self._writes = False

        writer.commit = commit_and_die

    def _noting(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(verb)
        def noted(*arguments: Any) -> Any:
            self._writes = True
            return verb(*arguments)

        return noted

    def _reach(self, moment: str) -> None:
        if not self._writes or moment != self._moment:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
