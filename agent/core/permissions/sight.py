"""Which events a user may hear of: what follows a job is told to whom the job is shown.

A stream that is open asks no store for each event. It knows the user's jobs from when it began, and every event that
changes them; what changes who may see what (a share) makes the listener begin anew.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol

from agent.core.permissions.rules import EVERYONE
from agent.core.ports import Store
from shared.models import Event
from shared.states import FINAL

_OF_RESOURCES = {"connection.changed", "knowledge_base.changed", "dataset.changed", "secret.changed"}


class Answer(Enum):
    TELL = "tell"
    KEEP = "keep"
    """It is not for this user."""
    MASK = "mask"
    """Told without what it works on: `masked`."""
    BEGIN_ANEW = "begin anew"
    """What the user may see has changed."""


class Listener(Protocol):
    def judge(self, event: Event) -> Answer: ...


class WholeAccount:
    """Of who administers an account: all of it, and of what concerns all accounts not what others are at."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def judge(self, event: Event) -> Answer:
        if event.kind == "worker.changed" and event.data.get("accountId") not in {None, self._account_id}:
            return Answer.MASK
        return Answer.TELL


class Sight:
    """Of one user."""

    def __init__(self, user_id: str, jobs: set[str], runs: set[str], hidden: set[str]) -> None:
        self._user_id = user_id
        self._jobs = jobs
        self._runs = runs
        """Those that are active: of others there is no progress."""
        self._hidden = hidden

    @classmethod
    async def of(cls, store: Store, account_id: str, user_id: str) -> Sight:
        """As it is now."""
        jobs = await store.seen_jobs(account_id, user_id)
        runs = await store.seen_active_runs(account_id, user_id)
        return cls(user_id, jobs, runs, await store.hidden_resources(account_id, user_id))

    def judge(self, event: Event) -> Answer:
        if event.kind == "share.changed":
            return self._of_share(event)
        if event.kind in _OF_RESOURCES:
            return _tell(event.subject_id not in self._hidden)
        if event.kind == "draft.changed":
            return _tell(event.data.get("ownerId") == self._user_id)
        if event.kind == "worker.changed":
            return Answer.TELL if event.data.get("runId") is None or event.data["runId"] in self._runs else Answer.MASK
        if event.kind == "agent.changed":
            return Answer.TELL
        if event.kind == "catch_up.changed":
            named = event.data.get("jobIds")
            return Answer.KEEP if named is not None and self._jobs.isdisjoint(named) else Answer.MASK
        return _tell(self._of_job(event))

    def _of_share(self, event: Event) -> Answer:
        """Told to whom the thing is shown; for whom it is made or taken, all that was read may be wrong."""
        mine = event.data.get("principalId") in {self._user_id, EVERYONE}
        if mine or not {"visibility", "ownerId"}.isdisjoint(event.data):
            return Answer.BEGIN_ANEW
        return _tell(event.subject_id in self._jobs)

    def _of_job(self, event: Event) -> bool:
        """Who there is, is told to administrators alone."""
        word = event.kind.partition(".")[0]
        if word == "job":
            if event.data.get("ownerId") == self._user_id:
                self._jobs.add(event.subject_id)
            return event.subject_id in self._jobs
        if event.kind in {"run.created", "run.changed"}:
            return self._of_run(event)
        if word == "run" and "jobId" not in event.data:
            return event.subject_id in self._runs
        return event.data.get("jobId") in self._jobs

    def _of_run(self, event: Event) -> bool:
        if event.data["jobId"] not in self._jobs:
            return False
        if event.data["state"] in FINAL:
            self._runs.discard(event.subject_id)
        else:
            self._runs.add(event.subject_id)
        return True


_MASKS: dict[str, dict[str, Any]] = {
    "worker.changed": {"runId": None, "jobName": None, "accountId": None},
    "catch_up.changed": {"count": None, "waiting": None, "jobs": None, "jobIds": None},
}


def masked(event: Event) -> Event:
    """Without what is not this user's to see: what a worker is busy with, counts of the whole account."""
    return event.model_copy(update={"data": event.data | _MASKS[event.kind]})


def _tell(shown: bool) -> Answer:  # noqa: FBT001  (it is the question)
    return Answer.TELL if shown else Answer.KEEP
