"""The order of a run that is claimed alone: in its worker before the claim is on the disk, begun by one word after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from agent.core.ports import Executor
from agent.core.records import ClaimedRun
from agent.core.running.ordering import Ordering


class Foreseen:
    """Of one claim; implements `Foresight`. What it cannot make ready is handed over like any other run."""

    def __init__(
        self,
        executor: Executor,
        ordering: Ordering,
        watch: Callable[[ClaimedRun, frozenset[str]], None],
        asked: Collection[str],
    ) -> None:
        """`asked`: runs that somebody wants to end."""
        self._executor = executor
        self._ordering = ordering
        self._watch = watch
        self._asked = asked
        self._prepared: ClaimedRun | None = None
        self._say: Callable[[], None] | None = None
        self._begun: ClaimedRun | None = None
        self._over = False

    def foresee(self, claimed: Sequence[ClaimedRun]) -> None:
        if self._over or len(claimed) != 1 or claimed[0].promised:
            return
        [run] = claimed
        with suppress(Exception):  # whatever stands against it is told when it is handed over
            order = self._ordering.plain(run)
            if order is not None:
                say = self._executor.prepare(run.fence.worker_id, order, lambda: self._begin(run))
                self._prepared, self._say = run, say

    def confirm(self) -> None:
        """Who asks to cancel a run that is claimed does so in a later commit: there is nothing to be looked at before."""
        if self._say is not None:
            self._say()

    def decide(self, *, kept: bool) -> None:
        prepared, self._prepared, self._over = self._prepared, None, True
        if prepared is not None:
            begin = kept and prepared.run.id not in self._asked
            self._executor.decide_prepared(prepared.fence.worker_id, begin=begin)

    def has_begun(self, claimed: ClaimedRun) -> bool:
        return self._begun is not None and self._begun.fence == claimed.fence

    def _begin(self, run: ClaimedRun) -> None:
        """No await between the last word and the watch, or between what is heard first and it: no word of the worker
        falls between."""
        self._begun = run
        self._watch(run, frozenset())
