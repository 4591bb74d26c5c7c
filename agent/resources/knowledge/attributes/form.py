"""How the attributes of an origin's rows are shown: always made of what the source has, never of what was shown before.

So a form can be applied any number of times, takes the place of the one before it, and can be taken back. What the
source has is kept beside each row whose attributes are shown differently; a sync compares with that alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

Name = Annotated[str, Field(min_length=1, max_length=200)]
Scalar = str | int | float | bool | None


class AttributeForm(BaseModel):
    """Left alone, it shows attributes as they are. All names but those in `set` are the source's."""

    model_config = ConfigDict(extra="forbid")

    keep: list[Name] | None = Field(None, description="Show these alone; left out: all")
    drop: list[Name] = Field([], description="Do not show these")
    map: dict[Name, dict[str, Scalar]] = Field(
        {},
        description="Other values, by attribute: its value as text to the one shown; values that are not named stay",
        examples=[{"status": {"P": "paid", "O": "open"}}],
    )
    rename: dict[Name, Name] = Field({}, description="Other names, by attribute", examples=[{"cust_id": "customer"}])
    set: dict[Name, Scalar] = Field(
        {}, description="Show these besides, with the same value in every row", examples=[{"region": "eu"}]
    )

    @property
    def changes_nothing(self) -> bool:
        return self == AttributeForm()

    def shown(self, source: dict[str, Any]) -> dict[str, Any]:
        """What is shown of a row's attributes. A renamed one takes the place of one of that name."""
        kept = {name: self._mapped(name, value) for name, value in source.items() if self._keeps(name)}
        plain = {name: value for name, value in kept.items() if name not in self.rename}
        renamed = {self.rename[name]: value for name, value in kept.items() if name in self.rename}
        return plain | renamed | self.set

    def _keeps(self, name: str) -> bool:
        return name not in self.drop and (self.keep is None or name in self.keep)

    def _mapped(self, name: str, value: Any) -> Any:
        values = self.map.get(name)
        return value if values is None else values.get(_as_text(value), value)


def form_of(base: sqlite3.Connection, origin: str) -> AttributeForm | None:
    """The form in force for the origin's rows; None: as the source has them."""
    found = base.execute("SELECT form FROM forms WHERE origin = ?", (origin,)).fetchone()
    return AttributeForm.model_validate_json(found[0]) if found else None


def put_form(base: sqlite3.Connection, origin: str, form: AttributeForm) -> None:
    """From now on this form is in force; inside the caller's transaction."""
    if form.changes_nothing:
        base.execute("DELETE FROM forms WHERE origin = ?", (origin,))
    else:
        base.execute("INSERT OR REPLACE INTO forms (origin, form) VALUES (?, ?)", (origin, form.model_dump_json()))


def canonical(attributes: dict[str, Any]) -> str:
    """The one text for the same attributes."""
    return _JSON.encode(attributes)


Shown = tuple[str, str | None]
"""Attributes as they are stored: those that searches see, and those of the source if they differ."""


def showing(form: AttributeForm | None) -> Callable[[dict[str, Any], str], Shown]:
    """What to store of a row's attributes, given as they are and as `canonical` text."""
    if form is None:
        return lambda _attributes, text: (text, None)

    def apply(attributes: dict[str, Any], text: str) -> Shown:
        shown = canonical(form.shown(attributes))
        return shown, None if shown == text else text

    return apply


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
