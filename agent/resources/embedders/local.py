"""wordllama: 256 dimensions, computed here, its weights inside its wheel; nothing is downloaded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agent.resources.embedders.names import WORDLLAMA, WORDLLAMA_DIMENSIONS
from agent.resources.embedders.opening import Vectors
from agent.resources.embedders.vectors import unit

_TEXTS_AT_ONCE = 512
_TOKENS_AT_ONCE = 4096
_ONES = np.ones(_TOKENS_AT_ONCE, dtype=np.float32)


class WordLlamaEmbedder:
    """The mean of each text's token vectors. Memory is bounded by tokens, not by the longest text: wordllama's own
    batches are padded to it, which takes gigabytes for one text of a megabyte."""

    name = WORDLLAMA
    dimensions = WORDLLAMA_DIMENSIONS

    def __init__(self) -> None:
        self._model = _model()

    def embed(self, texts: Sequence[str]) -> Vectors:
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            encoded = self._model.tokenizer.encode_batch_fast(
                list(texts[start : start + _TEXTS_AT_ONCE]), add_special_tokens=False
            )
            for row, encoding in enumerate(encoded, start):
                self._add_up(sums[row], encoding.ids)
        return unit(sums)

    def close(self) -> None:
        """Nothing is held but the model, which the next embedder shares."""

    def _add_up(self, total: Vectors, tokens: list[int]) -> None:
        # One text at a time stays in the processor's cache: three times as fast as the padded batches.
        for start in range(0, len(tokens), _TOKENS_AT_ONCE):
            piece = self._model.embedding.take(tokens[start : start + _TOKENS_AT_ONCE], axis=0, mode="clip")
            total += _ONES[: len(piece)] @ piece


@cache
def _model() -> Any:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    import wordllama  # type: ignore[import-untyped]

    # Its import sets up logging for the whole process; that is not its business.
    root.setLevel(level)
    root.handlers[:] = handlers
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    model.tokenizer.no_padding()
    model.tokenizer.no_truncation()
    return model
