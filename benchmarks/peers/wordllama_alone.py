"""wordllama by itself, as its documentation has it: `WordLlama.load().embed(texts)`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

SLICE = 2000


class AllCores:
    """A process for each core, each with its model loaded; nothing but embedding is measured."""

    def __init__(self, processes: ProcessPoolExecutor, cores: int) -> None:
        self._processes = processes
        list(processes.map(_embed, [["warm"]] * cores * 4))

    def embed(self, texts: Sequence[str]) -> None:
        slices = [list(texts[start : start + SLICE]) for start in range(0, len(texts), SLICE)]
        if sum(self._processes.map(_embed, slices)) != len(texts):
            raise RuntimeError("texts are missing")


@contextmanager
def all_cores() -> Iterator[AllCores]:
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, get_context("spawn"), initializer=_alone) as processes:
        yield AllCores(processes, cores)


def _alone() -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _model()


def _embed(texts: list[str]) -> int:
    return len(_model().embed(texts, norm=True))


@cache
def _model() -> Any:
    import wordllama  # type: ignore[import-untyped]

    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
