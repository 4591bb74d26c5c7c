"""One action as it is edited: what was typed, over what it said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from console.screens.actions.attachments import read_attachments, word_of
from console.screens.actions.fields import ATTACH, action_fields
from console.screens.create.draft import Draft, put
from console.screens.create.fields import Field, split_list
from console.screens.create.schema import CONNECTION, TABLE
from console.screens.create.values import fits, text_of, value_at
from shared.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from console.client.answers import DriverInfo

Action = dict[str, Any]


class ActionDraft(Draft):
    """Only what is typed anew is changed: what the form cannot say quite as it is stays."""

    def __init__(self, driver: DriverInfo, action: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.choose(driver)
        self._before: Action = {"type": driver.type, "data": {}, **deepcopy(dict(action))}
        self.what = [field for field in action_fields(driver, before) if self._can_be_typed(field)]
        self.texts = {field.key: self._text(field) for field in self.what}
        if TABLE in self.texts:
            self.texts[CONNECTION], _, self.texts[TABLE] = self.texts[TABLE].partition(".")
        self._blank = dict(self.texts)

    @property
    def fields(self) -> Sequence[Field]:
        return self.what

    @property
    def is_touched(self) -> bool:
        return any(self._is_changed(field) for field in self.fields)

    def action(self) -> Action:
        """InvalidInput names what cannot be read, or is needed, by the keys of the fields."""
        made, faults = deepcopy(self._before), []
        for field in self.fields:
            if field.is_required and not self.text(field.key).strip():
                faults.append(Fault(field.key, "is needed"))
            elif self._is_changed(field) and field.key != CONNECTION:
                try:
                    self._say(made, field)
                except InvalidInput as error:
                    faults += error.faults
        if faults:
            raise InvalidInput(faults)
        return made

    def _say(self, action: Action, field: Field) -> None:
        if field.key == ATTACH:
            action[ATTACH] = read_attachments(split_list(self.text(ATTACH)), self._before.get(ATTACH) or [])
            return
        value = self._value(field)
        if value is not None:
            put(action, field.key, value)
        else:
            folder = action["data"] if field.key.startswith("data.") else action
            folder.pop(field.key.removeprefix("data."), None)

    def _is_changed(self, field: Field) -> bool:
        keys = (CONNECTION, TABLE) if field.key == TABLE else (field.key,)
        return any(self.text(key) != self._blank.get(key, "") for key in keys)

    def _can_be_typed(self, field: Field) -> bool:
        return field.key == ATTACH or fits(field, value_at(self._before, field.key))

    def _text(self, field: Field) -> str:
        if field.key != ATTACH:
            return text_of(field, value_at(self._before, field.key))
        return ", ".join(word_of(each) for each in self._before.get(ATTACH) or [])
