"""Which of the known runs and jobs a filter takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from console.session import ConsoleSession

if TYPE_CHECKING:
    from shared.filters import Filter, Kind, Known


_OF_JOB = {"job", "tag", "owner"}
"""What a run does not say of itself, but its job."""


class Matcher:
    """A filter with what jobs and users are called: what runs do not say of themselves.

    Read when it is first asked, so that a view that is opened at the start does not delay the first frame.
    """

    def __init__(self, text: str, kind: Kind, session: ConsoleSession) -> None:
        self._text = text
        self._kind = kind
        self._session = session

    def matches(self, item: Any, now: datetime) -> bool:
        """A run of a job that is not known yet is judged again when it is."""
        if self._asks_jobs and item.job_id not in self._session.world.named_jobs:
            self._session.live.introduce([item.job_id])
        return self._filter.matches(item, now, self._known)

    @cached_property
    def _asks_jobs(self) -> bool:
        return self._kind == "run" and any(getattr(term, "field", "") in _OF_JOB for term in self._filter.terms)

    @cached_property
    def _filter(self) -> Filter:
        from shared.filters import parse

        return parse(self._text, self._kind)

    @cached_property
    def _known(self) -> Known:
        """Made once: it looks at the jobs as they are when it is asked."""
        from shared.filters import Known

        world = self._session.world
        return Known(_Tags(world.named_jobs), _Slugs(world.named_jobs), world.handles)


def quoted(text: str) -> str:
    """As a value of the filter language, whatever is in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _ByJob(Mapping[str, Any]):
    """Looks at the jobs as they are when it is asked."""

    def __init__(self, jobs: Mapping[str, Any]) -> None:
        self._jobs = jobs

    def __getitem__(self, job_id: str) -> Any:
        return self.of(self._jobs[job_id])

    def __iter__(self) -> Any:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    @abstractmethod
    def of(self, job: Any) -> Any: ...


class _Tags(_ByJob):
    def of(self, job: Any) -> Any:
        return job.tags


class _Slugs(_ByJob):
    def of(self, job: Any) -> Any:
        return job.slug
