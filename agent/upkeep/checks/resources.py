"""What lies beside the store: knowledge bases that open, and a key that fits the secrets."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from agent.core.driving import DriverError
from agent.core.ports import SecretStore
from agent.resources.knowledge.client import KnowledgeReader
from agent.resources.knowledge.file import open_for_reading
from agent.resources.knowledge.index.manifest import index_fault
from agent.resources.knowledge.shares import count_rows
from agent.resources.vault import FileKeyVault
from agent.store.inspection import StoreInspection
from agent.upkeep.findings import Finding, error, listed, warning
from agent.upkeep.layout import Layout
from shared.clock import Clock
from shared.errors import Unavailable


def check_bases(store: StoreInspection, layout: Layout) -> Iterator[Finding]:
    reader = KnowledgeReader(layout.knowledge)
    known = {Path(reader.grant_path(cast("Any", row))): row for row in store.knowledge_bases()}
    for folder, row in known.items():
        fault = _fault_of(folder)
        if fault:
            remedy = "restore it from a backup, or remove it and reset the jobs that fill it (kb-reset)"
            yield error("knowledge", f"knowledge base '{row['name']}' cannot be read: {fault}", remedy)
        elif fault := _index_fault_of(folder, row["embedder"], row["dimensions"]):
            sentence = f"knowledge base '{row['name']}' is searched without its vector index: {fault}"
            yield warning("knowledge", sentence, "make it anew (corpus-rebuild-vector-index), or remove index.json")
    strange = [str(path.parent) for path in layout.bases() if path.parent not in known]
    if strange:
        yield warning("knowledge", f"the store knows nothing of {listed(strange)}", "remove what nobody misses")


def check_key(store: StoreInspection, layout: Layout, clock: Clock) -> Iterator[Finding]:
    rows = store.secrets()
    if not rows:
        return
    if not layout.key.exists():
        what = "1 secret is" if len(rows) == 1 else f"{len(rows)} secrets are"
        sentence = f"{layout.key} is gone, and {what} written with it"
        yield error("secrets", sentence, "put the key back from its backup (chmod 600), or set the secrets anew")
        return
    kept = _Kept({(row["account_id"], row["name"]): bytes(row["ciphertext"]) for row in rows})
    vault = FileKeyVault(layout.root, cast("SecretStore", kept), clock)
    for message in dict.fromkeys(_refusals(vault, kept)):  # a key that is none is that for every secret
        yield error("secrets", message, "put the right key back from its backup, or set the secret anew")


def _refusals(vault: FileKeyVault, kept: _Kept) -> Iterator[str]:
    for account, name in kept.ciphertexts:
        try:
            asyncio.run(vault.get(account, name))
        except Unavailable as refusal:
            yield refusal.message


class _Kept:
    """As much of a store as a vault reads from."""

    def __init__(self, ciphertexts: dict[tuple[str, str], bytes]) -> None:
        self.ciphertexts = ciphertexts

    async def secret_ciphertext(self, account_id: str, name: str) -> bytes:
        return self.ciphertexts[account_id, name]


def _fault_of(folder: Path) -> str:
    try:
        with closing(open_for_reading(folder)) as base:
            count_rows(base)
            found = base.execute("PRAGMA quick_check(1)").fetchone()[0]
    except FileNotFoundError:
        return f"there is no file in {folder}"
    except DriverError as refusal:
        return refusal.message
    except sqlite3.Error as refusal:
        return str(refusal)
    return "" if found == "ok" else str(found)


def _index_fault_of(folder: Path, embedder: str, dimensions: int) -> str:
    with closing(open_for_reading(folder)) as base:
        return index_fault(folder, base, embedder, dimensions)
