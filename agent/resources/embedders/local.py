"""wordllama: 256 dimensions, computed here, its weights inside its wheel; nothing is downloaded."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from agent.resources.embedders.names import WORDLLAMA, WORDLLAMA_DIMENSIONS
from agent.resources.embedders.opening import Vectors
from agent.resources.embedders.pieces import PieceTokens
from agent.resources.embedders.vectors import unit

_TEXTS_AT_ONCE = 512
_CHARACTERS_AT_ONCE = 1_000_000
_TOKENS_AT_ONCE = 1024
"""More would be shared among threads, which are waited for where the machine is busy."""
_ONES = np.ones(_TOKENS_AT_ONCE, dtype=np.float32)


class WordLlamaEmbedder:
    """The mean of each text's token vectors. Memory is bounded by tokens, not by the longest text: wordllama's own
    batches are padded to it, which takes gigabytes for one text of a megabyte."""

    name = WORDLLAMA
    dimensions = WORDLLAMA_DIMENSIONS

    def __init__(self) -> None:
        self._vectors, self._tokens = _model()

    def embed(self, texts: Sequence[str]) -> Vectors:
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        row = 0
        for some in _helpings(texts):
            for tokens in self._tokens.of(some):
                self._add_up(sums[row], tokens)
                row += 1
        return unit(sums)

    def close(self) -> None:
        """Nothing is held but the model, which the next embedder shares."""

    def _add_up(self, total: Vectors, tokens: list[int]) -> None:
        # One text at a time stays in the processor's cache: three times as fast as the padded batches.
        for start in range(0, len(tokens), _TOKENS_AT_ONCE):
            piece = self._vectors.take(tokens[start : start + _TOKENS_AT_ONCE], axis=0, mode="clip")
            total += _ONES[: len(piece)] @ piece


def _helpings(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in order, as many at once as memory should hold cut up."""
    start = characters = 0
    for end, text in enumerate(texts):
        if end - start == _TEXTS_AT_ONCE or characters > _CHARACTERS_AT_ONCE:
            yield texts[start:end]
            start, characters = end, 0
        characters += len(text)
    yield texts[start:]


@cache
def _model() -> tuple[Vectors, PieceTokens]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    import wordllama  # type: ignore[import-untyped]

    # Its import sets up logging for the whole process; that is not its business.
    root.setLevel(level)
    root.handlers[:] = handlers
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    model.tokenizer.no_truncation()
    return model.embedding, PieceTokens(model.tokenizer)
