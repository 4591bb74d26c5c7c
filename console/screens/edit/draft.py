"""The draft that is edited: what was typed, over what it said before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from console.screens.create.draft import Draft, put
from console.screens.create.fields import Field, write
from console.screens.create.schedule import INTERVAL, WHEN, has_moments
from console.screens.create.schema import CONNECTION, TABLE
from shared.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from console.client.answers import DriverInfo
    from shared.models import Draft as Stored


class EditedDraft(Draft):
    """Only what is typed anew is changed: what the form does not show, or cannot say quite as it is, stays."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, Any] = {}

    def load(self, stored: Stored, driver: DriverInfo) -> None:
        from shared.models import JobInput

        self.choose(driver)
        self._before = stored.model_dump(mode="json", by_alias=True, include=set(JobInput.model_fields))
        self.what = [field for field in self.what if _fits(field, _get(self._before, field.key))]
        self.texts = {field.key: _text(field, _get(self._before, field.key)) for field in self.fields}
        if TABLE in self.texts:
            self.texts[CONNECTION], _, self.texts[TABLE] = self.texts[TABLE].partition(".")
        self._blank = dict(self.texts)

    @property
    def is_touched(self) -> bool:
        return any(text != self._blank.get(key, "") for key, text in self.texts.items())

    def _body(self) -> tuple[dict[str, Any], list[Fault]]:
        body = deepcopy(self._before)
        faults: list[Fault] = []
        for field in self.fields:
            if field.is_required and not self.text(field.key).strip():
                faults.append(Fault(field.key, "is needed"))
            elif self._is_changed(field) and field.key != CONNECTION:
                try:
                    put(body, field.key, self._value(field))
                except InvalidInput as error:
                    faults += error.faults
        if not has_moments(self.text(WHEN)):
            body[INTERVAL] = None
        return without_nothing(body), faults

    def _is_changed(self, field: Field) -> bool:
        keys = (CONNECTION, TABLE) if field.key == TABLE else (field.key,)
        return any(self.text(key) != self._blank.get(key, "") for key in keys)


def without_nothing(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was emptied goes back to its default; nulls that were there mean the same."""
    return {
        name: without_nothing(value) if isinstance(value, Mapping) and name == "policies" else value
        for name, value in values.items()
        if value is not None
    }


def _get(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _fits(field: Field, value: Any) -> bool:
    """A list with commas within its parts cannot be typed as one."""
    return field.kind != "list" or all("," not in str(each) for each in value or ())


def _text(field: Field, value: Any) -> str:
    if field.kind in ("any", "json", "pairs") and isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return write(value)
