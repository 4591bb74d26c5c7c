"""The catch-up screen: after an absence, all, the newest, those of a span, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from console.render.amounts import count
from console.screens.catch_up.cells import COLUMNS, cost, describe_held, held_cells, told
from console.screens.roster import RosterScreen, Section, views
from console.session import Question
from console.widgets.footer import Offer

if TYPE_CHECKING:
    from rich.text import Text

    from console.widgets.table import Cell
    from shared.models import Backlog, HeldJob
    from shared.models.backlog import Take

_SPANS: tuple[tuple[str, str, timedelta | None], ...] = (
    ("all", "All", None),
    ("hour", "Last hour", timedelta(hours=1)),
    ("six", "Last 6 hours", timedelta(hours=6)),
    ("day", "Last day", timedelta(days=1)),
    ("week", "Last week", timedelta(days=7)),
)
_EMPTY = "no missed fire waits: neither for you nor for its turn"


class CatchUpScreen(RosterScreen):
    """A tab is a span: what is decided on it goes to the fires that were due in it."""

    NAME = "catch_up"
    ACTS: ClassVar[tuple[str, ...]] = (*RosterScreen.ACTS, "release", "release_newest", "give_up", "why")

    backlog: Backlog | None = None

    def sections(self) -> Iterable[Section]:
        for name, title, span in _SPANS:
            yield Section(
                name, title, COLUMNS, partial(self._held, span), lambda held: held.job_id, self._cells, self._describe,
                _EMPTY if span is None else f"none of those that wait was due in the {title.lower()}",
                frozenset({"fires", "held"}),
            )  # fmt: skip

    def offers(self) -> Sequence[Offer]:
        chosen, can_run = self._waiting, self.session.can("run")
        number = f" of {count(len(chosen), 'job')}" if len(chosen) > 1 else ""
        here = self.here is not None
        return [
            *([Offer("release", f"run all{number}"), Offer("release_newest", f"newest only{number}")] if chosen and can_run else []),
            *([Offer("give_up", f"give up{number}")] if here and can_run else []),
            *([Offer("mark"), Offer("why")] if here else []),
            Offer("back"),
            *views(self._sections),
            *([Offer("mark_all", shown=False)] if here else []),
        ]  # fmt: skip

    async def act_release(self) -> None:
        jobs = self._waiting
        fires = sum(held.waiting for held in jobs)
        rate = self.backlog.rate if self.backlog else 0
        many = count(fires, "missed fire")
        await self._release(jobs, "all", f"run {self._up_to(many)} of {_names(jobs)}? {cost(fires, rate)}")

    async def act_release_newest(self) -> None:
        jobs = self._waiting
        await self._release(
            jobs, "latest", f"run the newest missed fire{self._within} of {_names(jobs)}, in place of all?"
        )

    async def act_give_up(self) -> None:
        from shared.models import HeldChoice

        jobs: list[HeldJob] = self.targets
        many = count(sum(held.waiting + held.released for held in jobs), "missed fire")
        question = self._asked(f"give up {self._up_to(many)} of {_names(jobs)}? They are never run", "give up", jobs)
        if await self.session.shell.ask(question):
            choice = HeldChoice(jobs=[held.job_id for held in jobs], since=self._since)
            self._tell(told(await self.session.client.catch_ups.discard(choice)))

    def act_why(self) -> None:
        if self.here is not None:
            self.session.shell.open_why(self.here.job_id)

    def leave(self) -> None:
        self.session.shell.back()

    # Helpers.

    @property
    def _waiting(self) -> list[HeldJob]:
        """Those of the chosen that wait for the operator: what is released is decided."""
        return [held for held in self.targets if held.waiting]

    @property
    def _span(self) -> timedelta | None:
        return next(span for name, _, span in _SPANS if name == self.section.name)

    @property
    def _since(self) -> datetime | None:
        return self.session.now() - self._span if self._span else None

    @property
    def _within(self) -> str:
        return f" of the {self.section.title.lower()}" if self._span else ""

    def _up_to(self, many: str) -> str:
        """How many of a span they are, the agent alone knows."""
        return f"up to {many}{self._within}" if self._span else many

    def _asked(self, text: str, yes: str, jobs: Sequence[HeldJob]) -> Question:
        return Question(text, yes, count=len(jobs) if self.session.is_production else None)

    async def _release(self, jobs: Sequence[HeldJob], take: Take, text: str) -> None:
        from shared.models import ReleaseChoice

        if await self.session.shell.ask(self._asked(text, "run them", jobs)):
            choice = ReleaseChoice(jobs=[held.job_id for held in jobs], since=self._since, take=take)
            self._tell(told(await self.session.client.catch_ups.release(choice)))

    def _tell(self, text: str) -> None:
        self.session.shell.say(text, "good")
        self.decided()

    async def _held(self, span: timedelta | None) -> Sequence[HeldJob]:
        self.backlog = await self.session.client.catch_ups.backlog()
        since = self.session.now() - span if span else None
        return [held for held in self.backlog.items if since is None or held.newest >= since]

    def _cells(self, held: HeldJob) -> Sequence[Cell]:
        return held_cells(held, self.session.now(), self.session.look)

    def _describe(self, held: HeldJob) -> Sequence[Text]:
        assert self.backlog is not None
        return describe_held(held, self.backlog, self.session.now(), self.session.look)


def _names(jobs: Sequence[HeldJob]) -> str:
    return jobs[0].job_name if len(jobs) == 1 else count(len(jobs), "job")
