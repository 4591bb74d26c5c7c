"""What a run may use of the agent's world: where it is, what opens it, how much of it there may be."""

from __future__ import annotations

from typing import Any

from agent.core.wire.message import Message


class ConnectionGrant(Message):
    """A data source with its credentials, for one run."""

    id: str
    name: str
    kind: str
    url: str
    query_seconds: float | None = None
    """One query may take so long; None: as long as it takes."""


class RowLimit(Message):
    """How many rows an account may have in its knowledge bases together; `folder` has a folder of each."""

    account_id: str
    most: int
    folder: str


class KnowledgeBaseGrant(Message):
    """A knowledge base that the run may write: its folder and its embedder."""

    id: str
    name: str
    path: str
    embedder: str
    dimensions: int
    networks: list[str] = []
    """In which its embedder may be reached although they are private."""
    rows: RowLimit | None = None
    """Of its account."""


class AttachmentGrant(Message):
    """What an action takes with it. `path`: where the content lies, of a file; `data` says the rest, as its type has it."""

    type: str
    name: str
    data: dict[str, Any] = {}
    path: str | None = None


class StoredLimit(Message):
    """How many bytes an account may have in these folders together; whoever adds to them holds the first one's lock."""

    most: int
    folders: list[str]


class DatasetGrant(Message):
    """A dataset that the run may read and refresh: the folder of its snapshots, and how the next one is made. Its
    connection is among the run's."""

    id: str
    name: str
    path: str
    connection: str | None = None
    query: str | None = None
    parameters: dict[str, Any] = {}
    keep_count: int | None = None
    keep_age: float | None = None
    """Seconds."""
    query_seconds: float | None = None
    """A question about its rows may take so long."""
    stored: StoredLimit | None = None
    """Of its account."""
