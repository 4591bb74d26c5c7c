"""What lies outside the store: sources, secrets, knowledge bases, snapshots, blobs, logs, the folder of definitions."""

from __future__ import annotations

from dataclasses import dataclass

from agent.composing.ground import Ground
from agent.core.world.storing import Storing
from agent.resources.blobs import FileBlobStore
from agent.resources.connections.sources import SqlSources
from agent.resources.datasets.client import FileSnapshots
from agent.resources.definitions import DefinitionsFolder
from agent.resources.embedders.names import Reach
from agent.resources.knowledge.client import KnowledgeReader
from agent.resources.logs import FileLogStore
from agent.resources.vault import FileKeyVault


@dataclass(frozen=True, slots=True)
class Resources:
    """`definitions` None: no folder of them is watched."""

    sources: SqlSources
    vault: FileKeyVault
    reader: KnowledgeReader
    snapshots: FileSnapshots
    blobs: FileBlobStore
    storing: Storing
    logs: FileLogStore
    definitions: DefinitionsFolder | None


def open_resources(ground: Ground) -> Resources:
    data_dir, clock, folder = ground.data_dir, ground.clock, ground.settings.definitions_dir
    vault = FileKeyVault(data_dir, ground.store, clock)
    snapshots, blobs = FileSnapshots(data_dir / "datasets"), FileBlobStore(data_dir / "blobs", clock.now)
    reach = Reach(ground.settings.allow_private_addresses, ground.settings.embedder_hosts)
    reader = KnowledgeReader(data_dir / "knowledge", secret_of=vault.get, reach=reach)
    return Resources(
        sources=SqlSources(data_dir),
        vault=vault,
        reader=reader,
        snapshots=snapshots,
        blobs=blobs,
        storing=Storing(ground.store, snapshots, blobs, reader),
        logs=FileLogStore(data_dir / "logs", clock),
        definitions=DefinitionsFolder(folder) if folder else None,
    )
