"""The job that is being made: what was typed, and the definition that it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from console.screens.create.fields import Field, read
from console.screens.create.schedule import FIELDS as WHEN_FIELDS
from console.screens.create.schedule import INTERVAL, WHEN, has_moments
from console.screens.create.schema import CONNECTION, TABLE, fields_of
from shared.errors import Fault, InvalidInput
from shared.faults import fault_from

if TYPE_CHECKING:
    from pydantic import ValidationError

    from console.client.answers import DriverInfo
    from shared.models import DraftInput, JobInput


class Draft:
    """`texts` by the key of the field. Another template keeps what both have: the name, the table, the schedule."""

    def __init__(self) -> None:
        self.driver: DriverInfo | None = None
        self.what: Sequence[Field] = ()
        self.texts: dict[str, str] = {WHEN: "none"}
        self.actions: list[dict[str, Any]] = []
        self._blank = dict(self.texts)

    @property
    def fields(self) -> Sequence[Field]:
        return [*self.what, *WHEN_FIELDS]

    @property
    def is_touched(self) -> bool:
        """Whether leaving would lose something."""
        return bool(self.actions) or {key: text for key, text in self.texts.items() if text.strip()} != self._blank

    def text(self, key: str) -> str:
        return self.texts.get(key, "")

    def choose(self, driver: DriverInfo) -> None:
        self.driver = driver
        self.what = fields_of(driver)

    def definition(self, actions: list[dict[str, Any]] | None = None) -> JobInput:
        """InvalidInput names all that is wrong so far by the keys of the fields. `actions`: these instead of its own."""
        from pydantic import ValidationError

        from shared.models import JobInput

        body, faults = self._body()
        if faults:
            raise InvalidInput(faults)
        try:
            return JobInput.model_validate(body | {"actions": self.actions if actions is None else actions})
        except ValidationError as error:
            raise InvalidInput(_faults(error)) from None

    def unfinished(self, actions: list[dict[str, Any]] | None = None) -> DraftInput:
        """The same as a draft may say it: how it is written must be right, no more."""
        from pydantic import ValidationError

        from shared.models import DraftInput

        body, faults = self._body()
        if unreadable := [fault for fault in faults if self.text(fault.field).strip()]:
            raise InvalidInput(unreadable)
        try:
            return DraftInput.model_validate(body | {"actions": self.actions if actions is None else actions})
        except ValidationError as error:
            raise InvalidInput(_faults(error)) from None

    def _body(self) -> tuple[dict[str, Any], list[Fault]]:
        assert self.driver is not None
        body: dict[str, Any] = {"type": self.driver.type, "data": {}}
        faults: list[Fault] = []
        for field in self.fields:
            try:
                value = self._value(field)
            except InvalidInput as error:
                faults += error.faults
                continue
            if value is not None:
                put(body, field.key, value)
            elif field.is_required:
                faults.append(Fault(field.key, "is needed"))
        body.pop(CONNECTION, None)
        return body, faults

    def _value(self, field: Field) -> Any:
        value = read(field, self.text(field.key))
        if field.key == TABLE and value is not None:
            return f"{self.text(CONNECTION).strip()}.{value}"
        if field.key == INTERVAL and not has_moments(self.text(WHEN)):
            return None
        return value


def _faults(error: ValidationError) -> list[Fault]:
    return [fault_from(found) for found in error.errors()]


def put(body: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[last] = value
