"""What a replacement can be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from agent.resources.knowledge.attributes.form import AttributeForm, Name


class ReplaceParameters(AttributeForm):
    """Parameters of `corpus-replace-filter-attrs`."""

    model_config = ConfigDict(extra="forbid")

    knowledge_base: str = Field(min_length=1, description="Name of the knowledge base", examples=["orders_kb"])
    origin: str | None = Field(
        None,
        min_length=1,
        description="Only rows of this origin, as hits name it: `connection.table`; left out: of all that are there",
        examples=["orders_db.orders"],
    )
    columns: dict[Name, Name] = Field(
        {},
        description="Attributes to read from the origin's table again, row by row by key: the column of each",
        examples=[{"status": "status"}],
    )
    restore: bool = Field(False, description="Show the attributes as the source has them again")
    batch_size: int = Field(2000, ge=1, le=10_000, description="Rows read and written at once")

    @property
    def form(self) -> AttributeForm:
        return AttributeForm.model_validate(self.model_dump(include=set(AttributeForm.model_fields)))

    @property
    def connection(self) -> str | None:
        """The name of the connection to read columns from, if there are any."""
        return self.origin.partition(".")[0] if self.columns and self.origin else None

    @property
    def table(self) -> str:
        return (self.origin or "").partition(".")[2]

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.restore and not self.form.changes_nothing:
            raise ValueError("restore shows what the source has: leave keep, drop, map, rename and set out")
        if not self.restore and not self.columns and self.form.changes_nothing:
            raise ValueError(
                "nothing is to be replaced: write keep, drop, map, rename, set or columns, or restore: true"
            )
        if self.columns and not self.table.strip(". "):
            raise ValueError("columns are read from a table: name it in origin as '<connection>.<table>'")
        return self

    @model_validator(mode="after")
    def _contradicts_nothing(self) -> Self:
        if self.keep is not None and self.drop:
            raise ValueError("keep says what is shown: leave drop out")
        told = {*self.rename, *self.map}
        hidden = told & {*self.drop} if self.keep is None else told - {*self.keep}
        if hidden:
            raise ValueError(f"{_listed(hidden)} would not be shown, and is to be renamed or mapped")
        twice = {name for name, times in Counter([*self.rename.values(), *self.set]).items() if times > 1}
        if twice:
            raise ValueError(f"{_listed(twice)} would be two attributes at once")
        return self


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
