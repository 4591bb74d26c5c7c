"""What jobs work with, and who works: connections, knowledge bases, workers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.models.base import Input, Instant, Resource
from shared.models.job import Name
from shared.models.share import Visibility


class Connection(Resource):
    """A data source. `url` never contains a password; the credential is a named secret."""

    id: str
    name: str
    kind: str
    url: str
    secret_name: str | None = None
    account_id: str
    owner_id: str | None = None
    visibility: Visibility = "account"
    created_at: Instant


class ConnectionInput(Input):
    """`url` may carry a password: it is moved into a secret before anything is stored. `visibility`: of a new one."""

    name: Name
    url: str
    secret_name: str | None = None
    visibility: Visibility = "account"


class Secret(Resource):
    """A named value, encrypted at rest; it is never answered."""

    name: str
    account_id: str
    owner_id: str | None = None
    visibility: Visibility = "account"
    updated_at: Instant
    """When its value was set last."""

    @property
    def id(self) -> str:
        """Secrets go by name: jobs, connections and what is encrypted know them by no other."""
        return self.name


class SecretInput(Input):
    """`visibility` None: of a new one `account`, of one that is there as it was."""

    value: Annotated[str, Field(max_length=65_536)]
    visibility: Visibility | None = None


class KeyRotation(Resource):
    """`secrets` are under a new key. `unreadable`, as `account/name`, were under none that is there: while there are such,
    the old keys stay."""

    secrets: int
    unreadable: list[str] = []


class KnowledgeBase(Resource):
    """An embedded, searchable corpus; `number` is its integer id for clients that need one."""

    id: str
    number: int
    name: str
    account_id: str
    owner_id: str | None = None
    visibility: Visibility = "account"
    embedder: str
    dimensions: int
    rows: int = 0
    generation: int = 1
    created_at: Instant
    updated_at: Instant


class KnowledgeBaseInput(Input):
    name: Name
    embedder: str = "wordllama"
    visibility: Visibility = "account"


class SearchInput(Input):
    query: str
    mode: Literal["vector", "text", "both"] = "both"
    limit: int = 10
    filter: dict[str, Any] = {}
    """Attribute name -> value, all must match."""


class SearchHit(Resource):
    key: str
    origin: str
    score: float
    text: str
    attributes: dict[str, Any] = {}


class Worker(Resource):
    id: str
    agent_id: str
    pid: int
    state: Literal["starting", "idle", "busy", "stopping", "lost"]
    run_id: str | None = None
    job_name: str | None = None
    account_id: str | None = None
    """Whose run it is at work on; like the two before it, told to whom the run is shown."""
    started_at: Instant
    heartbeat_at: Instant
    runs_done: int = 0


class JobName(Resource):
    id: str
    name: str
    slug: str


class DatasetName(Resource):
    id: str
    name: str


class JobUsers(Resource):
    """The jobs that work with something, as they are now; of a connection also the datasets that read from it."""

    items: list[JobName]
    others: int
    """How many there are besides, that the caller may not see."""
    datasets: list[DatasetName] = []
    other_datasets: int = 0
