"""All of Jobdeck's own tables as one thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from agent.core.ports.audit import AuditStore
from agent.core.ports.datasets import DatasetStore
from agent.core.ports.drafts import DraftStore
from agent.core.ports.events import EventStore
from agent.core.ports.fires import BacklogStore, FireStore
from agent.core.ports.history import HistoryStore
from agent.core.ports.identity import IdentityStore
from agent.core.ports.jobs import JobStore
from agent.core.ports.listing import ListingStore
from agent.core.ports.pruning import Pruning
from agent.core.ports.runs import RunStore
from agent.core.ports.secrets import SecretStore
from agent.core.ports.sentinels import SentinelStore
from agent.core.ports.shares import ShareStore
from agent.core.ports.syncs import SyncStore
from agent.core.ports.world import WorldStore
from agent.core.trouble import StoreTrouble
from shared.models import Event


class Store(
    JobStore,
    DraftStore,
    FireStore,
    BacklogStore,
    RunStore,
    HistoryStore,
    ListingStore,
    SyncStore,
    SentinelStore,
    IdentityStore,
    WorldStore,
    SecretStore,
    DatasetStore,
    ShareStore,
    AuditStore,
    EventStore,
    Pruning,
    Protocol,
):
    """All of Jobdeck's own tables. One contract suite runs on every engine."""

    def subscribe(self, listener: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Call `listener` on the loop after each commit, in order; returns the way to stop it. It must not block."""

    def looking(self) -> AbstractContextManager[None]:
        """One look: within it, in this task, the same question is asked once, and what changes meanwhile is not seen. What
        is answered is nobody's to change."""

    def ride(self, rider: Callable[[], None]) -> None:
        """Call `rider` on the loop when runs that may be due are about to be stored, or places to be freed: what it
        queues at once comes behind all of them and shares their commit."""

    async def stir(self) -> None:
        """Have the riders called for a commit that is made soon; return when it is."""

    @property
    def trouble(self) -> StoreTrouble | None:
        """Why nothing can be written at the moment, and since when; None: all is well, as far as was tried."""

    async def ping(self) -> None:
        """Raise Unavailable unless the store can be read and written, as of a second ago at most; asked often, it writes
        once a second."""

    async def close(self) -> None: ...
