"""The definitions folder, applied: what stands in it is, and nobody else changes it.

A file with a mistake changes nothing; the jobs that it had go on as they are. A job whose definition is gone is
disabled, and can be edited again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from agent.core.definitions.applying import Applying
from agent.core.jobs.jobs import Jobs, slug_of
from agent.core.permissions.audit import acts
from agent.core.permissions.callers import EVERY_SCOPE, Caller
from agent.core.ports import Store
from agent.core.threads import look
from shared.clock import Clock
from shared.definitions import Document, documents, line_of
from shared.errors import Fault, InvalidInput, JobdeckError
from shared.models import Job
from shared.models.applying import Change, DefinitionFault, DefinitionFile, DefinitionsReport, GivenDefinition

_log = structlog.get_logger()


class _Contents(Protocol):
    texts: dict[str, str]
    faults: dict[str, Fault]


class DefinitionTexts(Protocol):
    """Where definitions are read from. `read` blocks; Unavailable where the place as a whole is not to be read."""

    @property
    def root(self) -> object: ...

    def read(self) -> _Contents: ...


class Defining:
    """`folder` None: there is nothing to look at, and `report` says so."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        applying: Applying,
        clock: Clock,
        folder: DefinitionTexts | None,
        account_id: str,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._applying = applying
        self._clock = clock
        self._folder = folder
        self._account_id = account_id
        self._done: dict[str, str] = {}
        """By path: the hash of the text that was applied, so that it is not compared again."""
        self.report = DefinitionsReport(
            folder=str(folder.root) if folder else None, account_id=account_id if folder else None
        )

    async def look(self) -> DefinitionsReport:
        """Apply what changed since the last look. What is wrong in the folder is in the report, and in the log once."""
        if self._folder is None:
            return self.report
        try:
            contents = await look(self._folder.read)
        except JobdeckError as error:
            self._tell(self.report.model_copy(update={"fault": error.message, "looked_at": self._clock.now()}))
            return self.report
        await self._apply(contents)
        return self.report

    async def _apply(self, contents: _Contents) -> None:
        caller = await self._caller()
        with acts(caller, "follow_definitions"):
            await self._follow(caller, contents)

    async def _follow(self, caller: Caller, contents: _Contents) -> None:
        found, faults = _documents(contents)
        slugs: dict[str, list[str]] = {file.path: file.jobs for file in self.report.files if file.path in self._done}
        changed = {path: those for path, those in found.items() if self._done.get(path) != _hash(contents.texts[path])}
        good = changed | _rivals(found, changed)
        while good:
            given = _given(good.values())
            done = await self._applying.apply(caller, given, folder=True)
            for path, changes in _by_source(done.items).items():
                slugs[path] = [change.slug for change in changes if change.slug]
                if wrong := [fault for change in changes for fault in _placed(change, contents.texts[path])]:
                    faults[path] = wrong
            if not done.refused:
                self._say(done.items)
                break
            good = {path: those for path, those in good.items() if path not in faults}
        self._done = {path: _hash(contents.texts[path]) for path in found if path not in faults}
        await self._let_go(caller, {slug for path in self._done for slug in slugs.get(path, [])}, set(faults))
        files = [
            DefinitionFile(path=path, jobs=slugs.get(path, []), faults=faults.get(path, []))
            for path in sorted({*found, *faults})
        ]
        update = {"files": files, "fault": None, "looked_at": self._clock.now()}
        self._tell(self.report.model_copy(update=update))

    async def _let_go(self, caller: Caller, kept: set[str], faulty: set[str]) -> None:
        """Disable the jobs whose definitions are gone; those of files that cannot be read now go on."""
        for job in await self._store.defined_jobs(self._account_id):
            if job.slug not in kept and job.defined_in not in faulty:
                await self._disable(caller, job)

    async def _disable(self, caller: Caller, job: Job) -> None:
        if job.enabled:
            try:
                definition = await self._store.definition(job.id)
                definition = definition.model_copy(update={"enabled": False, "slug": job.slug})
                await self._jobs.replace(caller, job.id, definition, None, from_folder=True)
            except JobdeckError as error:  # its world is gone as well: nothing of it may run all the same
                _log.warning("definition_gone_job_paused", job=job.slug, file=job.defined_in, why=error.message)
                await self._jobs.pause(caller, job.id)
        await self._store.set_defined_in(job.id, None, self._clock.now())
        _log.info("definition_gone", job=job.slug, file=job.defined_in)

    async def _caller(self) -> Caller:
        user_id, _ = await self._store.find_owner(self._account_id)
        return Caller(self._account_id, user_id, "definitions", EVERY_SCOPE, "definitions")

    def _say(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.act != "unchanged":
                _log.info("definition_applied", act=change.act, job=change.slug, file=change.source)

    def _tell(self, report: DefinitionsReport) -> None:
        """Keep the report; say in the log what is wrong that was not wrong before."""
        known = _sayings(self.report)
        for saying in _sayings(report) - known:
            _log.error("definition_refused", why=saying)
        self.report = report


def _documents(contents: _Contents) -> tuple[dict[str, list[Document]], dict[str, list[DefinitionFault]]]:
    """By path: what can be read, and what is wrong with the rest."""
    found: dict[str, list[Document]] = {}
    faults = {path: [_told(fault)] for path, fault in contents.faults.items()}
    for path, text in contents.texts.items():
        try:
            found[path] = documents(path, text)
        except InvalidInput as error:
            faults[path] = [_told(replace(fault, field=_within(path, fault.field))) for fault in error.faults]
    return found, faults


def _within(path: str, field: str) -> str:
    """What is named beside its file need not name it again."""
    return field.removeprefix(path).removeprefix(": ") or "file"


def _rivals(found: Mapping[str, list[Document]], changed: Mapping[str, list[Document]]) -> dict[str, list[Document]]:
    """Files that define what a changed one defines too: of the two neither counts."""
    wanted = {slug for those in changed.values() for slug in _slugs(those)}
    return {path: those for path, those in found.items() if path not in changed and wanted & _slugs(those)}


def _slugs(those: Iterable[Document]) -> set[str]:
    said = ((document.values.get("slug"), document.values.get("name")) for document in those)
    return {str(slug or slug_of(str(name))) for slug, name in said}


def _given(files: Iterable[Sequence[Document]]) -> list[GivenDefinition]:
    return [
        GivenDefinition(source=document.source, place=document.place, definition=document.values)
        for file in files
        for document in file
    ]


def _by_source(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    grouped = defaultdict(list)
    for change in changes:
        grouped[change.source].append(change)
    return grouped


def _placed(change: Change, text: str) -> list[DefinitionFault]:
    """The faults of a definition, each at its line."""
    placed = []
    for fault in change.faults:
        path = ".".join(part for part in (change.place, fault.field) if part)
        placed.append(fault.model_copy(update={"field": f"{line_of(text, path)}: {path}"}))
    return placed


def _told(fault: Fault) -> DefinitionFault:
    return DefinitionFault(field=fault.field, message=fault.message)


def _sayings(report: DefinitionsReport) -> set[str]:
    return {f"{file.path}:{fault.field}: {fault.message}" for file in report.files for fault in file.faults}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
