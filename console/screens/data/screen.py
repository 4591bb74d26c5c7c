"""Data: connections are tested, datasets refreshed, knowledge bases searched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work

from console.render.amounts import count
from console.screens.data import cells
from console.screens.roster import RosterScreen, Section, views
from console.widgets.footer import Offer
from shared.errors import JobdeckError

if TYPE_CHECKING:
    from shared.models import Connection, KnowledgeBase, Secret
    from shared.models.dataset import Dataset

_MOST_TABLES = 8


class DataScreen(RosterScreen):
    NAME = "data"
    ACTS: ClassVar[tuple[str, ...]] = (*RosterScreen.ACTS, "test", "refresh", "search", "copy")

    def sections(self) -> Iterable[Section]:
        session, client = self.session, self.session.client
        yield Section(
            "connections", "Connections", cells.CONNECTIONS, client.world.connections, lambda each: each.id,
            lambda each: cells.connection_cells(each, session.look),
            lambda each: cells.describe_connection(each, session.now(), session.look),
            "no connections yet; in a shell: jobdeck connection add NAME URL", frozenset({"connections"}),
        )  # fmt: skip
        yield Section(
            "datasets", "Datasets", cells.DATASETS, client.datasets.all, lambda each: each.id,
            lambda each: cells.dataset_cells(each, session.now(), session.look),
            lambda each: cells.describe_dataset(each, session.now(), session.look),
            "no datasets yet; in a shell: jobdeck dataset create --help", frozenset({"datasets"}),
        )  # fmt: skip
        yield Section(
            "knowledge", "Knowledge bases", cells.BASES, client.world.knowledge_bases, lambda each: each.id,
            lambda each: cells.base_cells(each, session.now(), session.look),
            lambda each: cells.describe_base(each, session.now(), session.look),
            "no knowledge bases yet; in a shell: jobdeck kb create NAME", frozenset({"knowledge_bases"}),
        )  # fmt: skip
        yield Section(
            "secrets", "Secrets", cells.SECRETS, client.access.secrets, lambda each: each.id,
            lambda each: cells.secret_cells(each, session.now(), session.look),
            lambda each: cells.describe_secret(each, session.now(), session.look),
            "no secrets yet; in a shell: jobdeck secret set NAME",
        )  # fmt: skip

    def offers(self) -> Sequence[Offer]:
        own: list[Offer] = []
        if self.here is not None:
            match self.section.name:
                case "connections":
                    own = [Offer("test")]
                case "datasets" if self.session.can("run") and self.here.connection:
                    own = [Offer("refresh")]
                case "knowledge":
                    own = [Offer("search")]
            own.append(Offer("copy"))
        return [*own, *views(self._sections)]

    def open_here(self) -> None:
        """Enter does what one most likely came for."""
        if self.section.name == "knowledge":
            self.act_search()
        elif self.section.name == "connections":
            self.act_test()

    def act_test(self) -> None:
        connection: Connection = self.here
        self.session.shell.say(f"asking {connection.name}…")
        self._test(connection)

    async def act_refresh(self) -> None:
        dataset: Dataset = self.here
        run = await self.session.client.datasets.refresh(dataset.id)
        self.session.shell.say(f"{dataset.name} is being refreshed by run #{run.number}", "good")

    def act_search(self) -> None:
        from console.screens.data.search import SearchScreen

        base: KnowledgeBase = self.here
        self.app.push_screen(SearchScreen(self.session, base))

    def act_copy(self) -> None:
        here: Connection | Dataset | KnowledgeBase | Secret = self.here
        verbs = {
            "connections": "connection test",
            "datasets": "dataset rows",
            "knowledge": "kb search",
            "secrets": "secret set",
        }
        self.session.shell.copy(f"jobdeck {verbs[self.section.name]} {here.name}")

    @work(exclusive=True, group="test")
    async def _test(self, connection: Connection) -> None:
        """A source may take its time: the screen goes on meanwhile."""
        try:
            answered = await self.session.client.world.test_connection(connection.id)
        except JobdeckError as error:
            self.session.shell.say(f"{connection.name}: {error.message}", "error")
            return
        if not answered.ok:
            self.session.shell.say(f"{connection.name}: {answered.message}", "error")
            return
        shown = ", ".join(answered.tables[:_MOST_TABLES]) + (" …" if len(answered.tables) > _MOST_TABLES else "")
        self.session.shell.say(
            f"{connection.name} answers; {count(len(answered.tables), 'table')}{': ' if shown else ''}{shown}", "good"
        )
