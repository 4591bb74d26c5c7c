"""The embedder of a knowledge base, as a run may use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from agent.core.driving import RunContext
from agent.core.wire import KnowledgeBaseGrant
from agent.resources.embedders import Embedder, open_embedder, parse_embedder
from shared.errors import InvalidInput


@contextmanager
def granted_embedder(context: RunContext, target: KnowledgeBaseGrant) -> Iterator[Embedder]:
    """Closed at the end; the run's cancel ends its waits."""
    secret = None
    with suppress(InvalidInput):
        name = parse_embedder(target.embedder).secret
        secret = context.secret(name) if name else None
    embedder = open_embedder(
        target.embedder,
        secret=secret,
        dimensions=target.dimensions,
        cancelled=context.cancelled,
        allowed=target.networks,
    )
    try:
        yield embedder
    finally:
        embedder.close()
