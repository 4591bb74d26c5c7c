"""The architecture on one page: what the core needs, as abstract types, a seam a file.

Every `now` is handed in; every verb that writes takes batches where its callers have them, is one
transaction, and returns only after the commit. Reads see committed state. Events are published after
the commit that made them, in order.
"""

from agent.core.ports.audit import AuditStore
from agent.core.ports.blobs import Blobs
from agent.core.ports.datasets import DatasetStore, Snapshots
from agent.core.ports.drafts import DraftStore
from agent.core.ports.events import EventStore
from agent.core.ports.execution import EndSink, EventSink, Executor, LogStore, ReturnSink, forget_return
from agent.core.ports.fires import BacklogStore, FireStore
from agent.core.ports.history import HistoryStore
from agent.core.ports.identity import IdentityStore
from agent.core.ports.jobs import JobStore
from agent.core.ports.listing import ListedRun, ListingQuery, ListingStore
from agent.core.ports.previewing import Previewer
from agent.core.ports.pruning import Pruning
from agent.core.ports.resources import Drivers, KnowledgeBases, Sources, Vault
from agent.core.ports.runs import Foresight, RunStore
from agent.core.ports.secrets import SecretStore
from agent.core.ports.sentinels import SentinelStore
from agent.core.ports.shares import ShareStore
from agent.core.ports.store import Store
from agent.core.ports.world import WorldStore

__all__ = [
    "AuditStore",
    "BacklogStore",
    "Blobs",
    "DatasetStore",
    "DraftStore",
    "Drivers",
    "EndSink",
    "EventSink",
    "EventStore",
    "Executor",
    "FireStore",
    "Foresight",
    "HistoryStore",
    "IdentityStore",
    "JobStore",
    "KnowledgeBases",
    "ListedRun",
    "ListingQuery",
    "ListingStore",
    "LogStore",
    "Previewer",
    "Pruning",
    "ReturnSink",
    "RunStore",
    "SecretStore",
    "SentinelStore",
    "ShareStore",
    "Snapshots",
    "Sources",
    "Store",
    "Vault",
    "WorldStore",
    "forget_return",
]
