"""The routes of runs and their logs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any

from console.client.answers import Attempt, BulkAct, BulkItem, Counts, Items, Page
from console.client.line import Line, Message, Offline, Online
from console.client.session import Session, segment
from shared.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from shared.ids import run_number
from shared.models import LogHits, LogPage, Run, Step
from shared.models.run import LogLevel

_BULK = 500
"""Runs that one bulk request may name."""

_PAGE = 200


class Runs:
    def __init__(self, session: Session, line: Callable[[], Line]) -> None:
        self._session = session
        self._line = line

    async def page(
        self,
        *,
        where: str | None = None,
        job_id: str | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
        sort: str | None = None,
    ) -> Page[Run]:
        """Newest first; `where`: the filter language; `before` and `after` are run numbers; `limit` 1-200."""
        params = {"filter": where, "jobId": job_id, "before": before, "after": after, "limit": limit, "sort": sort}
        return await self._session.fetch(Page[Run], "GET", "/runs", params=params)

    async def every(
        self, *, where: str | None = None, job_id: str | None = None, at_most: int
    ) -> AsyncGenerator[Run, None]:
        """Run by run through as many pages as it takes, newest first."""
        before, left = None, at_most
        while left > 0:
            page = await self.page(where=where, job_id=job_id, before=before, limit=min(left, _PAGE))
            for run in page.items:
                yield run
            left -= len(page.items)
            before = page.before
            if before is None:
                return

    async def counts(self, where: str | None = None) -> Counts:
        return await self._session.fetch(Counts, "GET", "/runs/counts", params={"filter": where})

    async def get(self, run_id: str) -> Run:
        return await self._session.fetch(Run, "GET", _path(run_id))

    async def numbered(self, number: int) -> Run:
        """The one that is shown as `#number`; NotFound also where the caller may not see it."""
        found = (await self.page(after=number - 1, before=number + 1, limit=1)).items if number else []
        if not found:
            raise NotFound(f"there is no run #{number}")
        return found[0]

    async def named(self, key: str) -> Run:
        """By `#4`, `4` or the id; NotFound. See `shared.ids.run_number`."""
        number = run_number(key)
        return await (self.get(key) if number is None else self.numbered(number))

    async def steps(self, run_id: str) -> list[Step]:
        return (await self._session.fetch(Items[Step], "GET", f"{_path(run_id)}/steps")).items

    async def attempts(self, run_id: str) -> list[Attempt]:
        return (await self._session.fetch(Items[Attempt], "GET", f"{_path(run_id)}/attempts")).items

    async def log(self, run_id: str, start: int = 1, limit: int = 200) -> LogPage:
        """Lines from number `start` on; negative counts from the end; `limit` 1-5000."""
        return await self._session.fetch(
            LogPage, "GET", f"{_path(run_id)}/log", params={"start": start, "limit": limit}
        )

    async def search_log(
        self,
        run_id: str,
        *,
        text: str = "",
        level: LogLevel | None = None,
        start: int | None = None,
        limit: int = 1,
        backwards: bool = False,
        match_case: bool = False,
    ) -> LogHits:
        """One answer of a search, after half a second at the latest; go on at its `next`. `limit` 1-5000."""
        params = {
            "text": text, "level": level, "start": start, "limit": limit, "backwards": backwards, "matchCase": match_case
        }  # fmt: skip
        return await self._session.fetch(LogHits, "GET", f"{_path(run_id)}/log/search", params=params)

    async def follow(self, run_id: str, start: int = 1) -> AsyncGenerator[LogPage | Online | Offline, None]:
        """Lines as they are written, from number `start` on, across cuts and without a line twice; ends with the run."""
        position = start

        def connect() -> AsyncGenerator[Message, None]:
            return self._session.listen(f"{_path(run_id)}/log/follow", params={"start": position})

        refusals = (NotFound, Forbidden, Unauthenticated, InvalidInput)
        async with aclosing(self._line().keep(connect, fatal=refusals)) as messages:
            async for message in messages:
                if not isinstance(message, Message):
                    yield message
                elif message.kind == "end":
                    return
                elif message.kind == "lines":
                    page = LogPage.model_validate_json(message.data)
                    if page.lines:
                        position = page.lines[-1].number + 1
                    yield page

    async def cancel(self, run_id: str, version: int | None = None, *, undoable: bool = False) -> Run:
        """`undoable`: a run that waits is cancelled at its `cancel_due_at`, unless `uncancel` comes first."""
        body = _guard(version) | _undoable(undoable=undoable)
        return await self._session.fetch(Run, "POST", f"{_path(run_id)}/_cancel", body=body)

    async def uncancel(self, run_id: str, version: int | None = None) -> Run:
        return await self._session.fetch(Run, "POST", f"{_path(run_id)}/_uncancel", body=_guard(version))

    async def rerun(self, run_id: str, version: int | None = None) -> Run:
        """Run the job again as it is now; the new run names this one as its original."""
        return await self._session.fetch(Run, "POST", f"{_path(run_id)}/_rerun", body=_guard(version))

    async def bulk(
        self,
        act: BulkAct,
        runs: Iterable[tuple[str, int | None]],
        *,
        undoable: bool = False,
        own_revision: bool = False,
    ) -> list[BulkItem]:
        """One act on many by id and version; each answers for itself, so one refusal stops no other. `own_revision`:
        rerun each as it was defined then, and not as its job is now."""
        named = [{"id": run_id, **_guard(version)} for run_id, version in runs]
        answers: list[BulkItem] = []
        for some in _chunks(named, _BULK):
            body = {"act": act, "runs": some} | _undoable(undoable=undoable)
            if own_revision:
                body["ownRevision"] = True
            answers += (await self._session.fetch(Items[BulkItem], "POST", "/runs/_bulk", body=body)).items
        return answers


def _path(run_id: str) -> str:
    return f"/runs/{segment('run', run_id)}"


def _guard(version: int | None) -> dict[str, Any]:
    return {} if version is None else {"version": version}


def _undoable(*, undoable: bool) -> dict[str, Any]:
    return {"undoable": True} if undoable else {}


def _chunks(items: Sequence[dict[str, Any]], size: int) -> list[Sequence[dict[str, Any]]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
