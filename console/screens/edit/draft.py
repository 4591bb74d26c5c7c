"""The draft that is edited: what was typed, over what it said before."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from console.screens.create.draft import Draft, put
from console.screens.create.fields import Field
from console.screens.create.schedule import INTERVAL, WHEN, has_moments
from console.screens.create.schema import CONNECTION, TABLE
from console.screens.create.values import fits, text_of, value_at
from shared.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from console.client.answers import DriverInfo
    from shared.models import Draft as Stored


class EditedDraft(Draft):
    """Only what is typed anew is changed: what the form does not show, or cannot say quite as it is, stays."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, Any] = {}
        self._actions_before: list[dict[str, Any]] = []

    def load(self, stored: Stored, driver: DriverInfo) -> None:
        from shared.models import JobInput

        self.choose(driver)
        self._before = stored.model_dump(mode="json", by_alias=True, include=set(JobInput.model_fields))
        self.actions = deepcopy(self._before["actions"])
        self._actions_before = deepcopy(self.actions)
        self.what = [field for field in self.what if fits(field, value_at(self._before, field.key))]
        self.texts = {field.key: text_of(field, value_at(self._before, field.key)) for field in self.fields}
        if TABLE in self.texts:
            self.texts[CONNECTION], _, self.texts[TABLE] = self.texts[TABLE].partition(".")
        self._blank = dict(self.texts)

    @property
    def is_touched(self) -> bool:
        is_typed = any(text != self._blank.get(key, "") for key, text in self.texts.items())
        return is_typed or self.actions != self._actions_before

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
