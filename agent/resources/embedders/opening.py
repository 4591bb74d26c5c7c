"""The one shape of an embedder, and the way to one by its name."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from agent.core.driving import DriverError
from agent.resources.embedders.names import WORDLLAMA, parse_embedder
from shared.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
else:
    Vectors = "numpy.ndarray of float32"


class Embedder(Protocol):
    """`embed` returns one row of `dimensions` float32 per text, of length 1; a text without a word is all zeros."""

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Raises DriverError: transient where waiting helps, permanent where the endpoint refuses."""

    def close(self) -> None: ...


def open_embedder(
    name: str,
    *,
    secret: str | None = None,
    dimensions: int | None = None,
    cancelled: threading.Event | None = None,
    allowed: Sequence[str] = (),
) -> Embedder:
    """The embedder called `name`. `dimensions` is checked if given, found out otherwise (an endpoint is asked once).

    `cancelled` ends waits between retries early; `allowed` are the private networks (CIDR) that an endpoint may be in.
    DriverError: a package is missing, the dimensions differ.
    """
    try:
        parsed = parse_embedder(name)
    except InvalidInput as refusal:
        raise DriverError("embedder_unknown", refusal.message) from None
    embedder: Embedder
    if parsed.model == WORDLLAMA and parsed.base_url is None:
        embedder = _open_wordllama()
    else:
        from agent.resources.embedders.endpoint import OpenAiEmbedder

        embedder = OpenAiEmbedder(name, parsed, secret, dimensions, cancelled or threading.Event(), allowed=allowed)
    if dimensions is not None and embedder.dimensions != dimensions:
        found = embedder.dimensions
        embedder.close()
        raise DriverError(
            "embedder_dimensions", f"embedder '{name}' makes {found} dimensions, the knowledge base has {dimensions}"
        )
    return embedder


def _open_wordllama() -> Embedder:
    try:
        from agent.resources.embedders.local import WordLlamaEmbedder
    except ImportError:
        raise DriverError(
            "driver_missing", "the embedder 'wordllama' is not installed; run: pip install 'jobdeck[kb]'"
        ) from None
    return WordLlamaEmbedder()
