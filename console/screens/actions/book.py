"""The actions of a definition that is being made or edited, and what the agent says of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from itertools import count
from typing import TYPE_CHECKING

from console.screens.actions.draft import Action
from console.screens.create.draft import Draft
from console.session import ConsoleSession
from shared.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from console.client.answers import ActionPreview, DriverInfo
    from shared.models import Draft as Stored

Keep = Callable[[list[Action]], Awaitable["Stored"]]
"""Stores the definition with these actions, as a draft on the agent."""


class ActionBook:
    """Changes `draft.actions`. Previews need the definition on the agent: `keep` puts it there; without it a draft is
    made for the moment, and thrown away."""

    def __init__(self, session: ConsoleSession, draft: Draft, keep: Keep | None = None) -> None:
        self._session = session
        self._draft = draft
        self._keep = keep
        self._drivers: dict[str, DriverInfo] = {}

    @property
    def actions(self) -> Sequence[Action]:
        return self._draft.actions

    @property
    def job_name(self) -> str:
        return self._draft.text("name").strip() or "the job"

    async def drivers(self) -> Mapping[str, DriverInfo]:
        """Every type, by name; asked for once."""
        if not self._drivers:
            self._drivers = {each.type: each for each in await self._session.client.jobs.drivers()}
        return self._drivers

    def new(self, action_type: str) -> Action:
        """One that is not in it yet; by its id conditions behind it can speak of it at once."""
        taken = {action.get("id") for action in self.actions}
        ids = (action_type if number == 1 else f"{action_type}-{number}" for number in count(1))
        return {"id": next(each for each in ids if each not in taken), "type": action_type, "data": {}}

    def put(self, place: int, action: Action) -> None:
        """In the place of the one that is there, or as the last."""
        self._draft.actions[place : place + 1] = [action]

    def remove(self, place: int) -> None:
        del self._draft.actions[place]

    def move(self, place: int, step: int) -> int:
        """Returns where it is then."""
        target = place + step
        if not 0 <= target < len(self._draft.actions):
            return place
        actions = self._draft.actions
        actions[place], actions[target] = actions[target], actions[place]
        return target

    async def faults(self, place: int, action: Action) -> list[Fault]:
        """What the agent finds wrong with the action in that place, by its own fields."""
        head = f"actions.{place}"
        found = [
            each
            for each in await self._faults_with(self._with(place, action))
            if f"{each.field}.".startswith(f"{head}.")
        ]
        return [Fault(each.field.removeprefix(head).removeprefix("."), each.message, each.value) for each in found]

    async def all_faults(self) -> list[Fault]:
        """Of all actions, as after one of them was moved or taken out."""
        found = await self._faults_with(self._draft.actions)
        return [each for each in found if each.field.startswith("actions.")]

    async def preview(self, place: int, action: Action) -> ActionPreview:
        """What it would do with the results of the last run; nothing is done."""
        drafts = self._session.client.drafts
        if self._keep is not None:
            stored = await self._keep(self._with(place, action))
            return await drafts.preview(stored.id, stored.actions[place].id or "")
        stored = await drafts.start(self._draft.unfinished(self._with(place, action)))
        try:
            return await drafts.preview(stored.id, stored.actions[place].id or "")
        finally:
            await drafts.discard(stored.id)

    async def _faults_with(self, actions: list[Action]) -> Sequence[Fault]:
        try:
            definition = self._draft.definition(actions)
        except InvalidInput as error:
            return error.faults
        check = await self._session.client.jobs.check(definition)
        return [Fault(each.field, each.message, each.value) for each in check.faults]

    def _with(self, place: int, action: Action) -> list[Action]:
        actions = deepcopy(self._draft.actions)
        actions[place : place + 1] = [action]
        return actions
