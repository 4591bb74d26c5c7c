"""The definitions that stand in one text: the text itself is one, or it has a list of them under `jobs`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.definitions.text import read
from shared.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Document:
    """One definition as it was written, not yet checked. `place` is where it stands in its text, as in `jobs.2`."""

    source: str
    place: str
    values: dict[str, Any]


def documents(source: str, text: str) -> list[Document]:
    """InvalidInput names the source where the text cannot be read, or says something else beside `jobs`."""
    values = read(source, text)
    if "jobs" not in values:
        return [Document(source, "", values)]
    if others := sorted(set(values) - {"jobs"}):
        message = "a file is one definition, or a list of them under 'jobs' and nothing else"
        raise InvalidInput.one(f"{source}: {others[0]}", message, values[others[0]])
    jobs = values["jobs"]
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise InvalidInput.one(f"{source}: jobs", "must be a list of definitions: [[jobs]] in TOML", jobs)
    return [Document(source, f"jobs.{position}", job) for position, job in enumerate(jobs)]
