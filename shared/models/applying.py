"""Jobs as code: definitions that are to be, and what that changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.models.base import Input, Instant, Resource

Act = Literal["create", "replace", "disable", "release", "unchanged", "refused"]
"""`release`: a job whose definition is gone, and that was disabled before, can be edited again."""


class Difference(Resource):
    """`field` is a dotted path; None: there is no value."""

    field: str
    before: Any = None
    after: Any = None


class GivenDefinition(Input):
    """A definition as it was written. `source` says where, for people; `place` where in it, as in `jobs.2`."""

    source: Annotated[str, Field(max_length=1000)] = ""
    place: Annotated[str, Field(max_length=100)] = ""
    definition: dict[str, Any]


class GivenDefinitions(Input):
    definitions: Annotated[list[GivenDefinition], Field(min_length=1, max_length=10_000)]


class DefinitionFault(Resource):
    """`field` is a dotted path within the definition."""

    field: str
    message: str
    value: Any = None


class Change(Resource):
    """What one definition changes, or is refused for."""

    source: str = ""
    place: str = ""
    slug: str = ""
    act: Act
    job_id: str | None = None
    revision: int | None = None
    """The one that was made; None in a plan."""
    differences: list[Difference] = []
    schedule_text: str = ""
    next_fires: list[Instant] = []
    faults: list[DefinitionFault] = []


class Changes(Resource):
    """In the order of what was given. With a refusal among them, nothing was changed."""

    items: list[Change]

    @property
    def refused(self) -> list[Change]:
        return [change for change in self.items if change.act == "refused"]


class DefinitionFile(Resource):
    """A file of the definitions folder, as it was last looked at."""

    path: str
    jobs: list[str] = []
    """Slugs of the jobs that stand in it."""
    faults: list[DefinitionFault] = []
    """Why it changes nothing; `field` begins with the line, as in `3: jobs.0.interval`."""


class DefinitionsReport(Resource):
    """What the agent made of its definitions folder. `folder` None: the settings name none."""

    folder: str | None = None
    account_id: str | None = None
    looked_at: Instant | None = None
    fault: str | None = None
    """Why the folder as a whole is not read."""
    files: list[DefinitionFile] = []
