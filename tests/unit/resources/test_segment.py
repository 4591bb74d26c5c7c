"""The nearest of many vectors, with a first choice by their leading dimensions and without."""

from __future__ import annotations

import numpy as np
import pytest

from agent.resources.embedders import Vectors
from agent.resources.knowledge import segment
from agent.resources.knowledge.segment import Segment, greatest

ROWS, DIMENSIONS, HEAD = 3000, 32, 12


def vectors(seed: int, count: int) -> Vectors:
    """Unit vectors that say most in their leading dimensions, as those of wordllama do."""
    drawn = np.random.default_rng(seed).normal(size=(count, DIMENSIONS)) / np.arange(1, DIMENSIONS + 1) ** 0.7
    unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


def made(*, heads: bool) -> Segment:
    """Ids from 1000 on; every third row is of share 2."""
    rows = vectors(1, ROWS)
    ids = np.arange(1000, 1000 + ROWS)
    return Segment(ids, 1 + (ids % 3 == 0), rows, np.ascontiguousarray(rows[:, :HEAD]) if heads else None)


def truth(question: Vectors, count: int, shares: set[int]) -> dict[int, float]:
    found = made(heads=False)
    scores = found.vectors @ question
    rows = [(float(s), int(i)) for s, i, share in zip(scores, found.ids, found.shares, strict=True) if share in shares]
    return {id_: score for score, id_ in sorted(rows, reverse=True)[:count]}


@pytest.mark.parametrize("shares", [{1, 2}, {1}, {2, 7}, {7}])
@pytest.mark.parametrize("count", [1, 10, 5000])
def test_nearest_are_exact_without_heads(shares: set[int], count: int) -> None:
    question = vectors(2, 1)[0]
    ids, scores = made(heads=False).nearest(question, count, frozenset(shares))
    assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == pytest.approx(
        truth(question, count, shares), abs=1e-6
    )


@pytest.mark.parametrize("shares", [{1, 2}, {2}, {7}])
def test_choice_by_heads_loses_few_and_scores_whole(monkeypatch: pytest.MonkeyPatch, shares: set[int]) -> None:
    monkeypatch.setattr(segment, "HEADS_FROM", 100)
    monkeypatch.setattr(segment, "RESCORED", 150)
    found, missed = made(heads=True), 0
    for question in vectors(3, 50):
        ids, scores = found.nearest(question, 10, frozenset(shares))
        expected = truth(question, 10, shares)
        missed += len(expected.keys() - set(ids.tolist()))
        assert set(found.shares[ids - 1000].tolist()) <= shares
        assert scores.tolist() == pytest.approx((found.vectors[ids - 1000] @ question).tolist(), abs=1e-6)
    assert missed <= 5


@pytest.mark.parametrize("count", [3, 2000])
def test_scores_among_chosen_rows(count: int) -> None:
    found, question = made(heads=True), vectors(4, 1)[0]
    wanted = np.random.default_rng(5).choice(np.arange(0, 1000 + ROWS), count, replace=False)
    ids, scores = found.among(wanted, question)
    assert set(ids.tolist()) == set(wanted.tolist()) & set(found.ids.tolist())
    assert scores.tolist() == pytest.approx((found.vectors[ids - 1000] @ question).tolist(), abs=1e-6)


@pytest.mark.parametrize("size", [1, 30, 400, 5000])
@pytest.mark.parametrize("kind", ["spread", "few values", "mostly nothing", "ascending", "all alike"])
def test_the_greatest_are_those_that_sorting_finds(size: int, kind: str) -> None:
    rng = np.random.default_rng(size)
    scores = rng.normal(size=size).astype(np.float32)
    if kind == "few values":
        scores = np.round(scores)
    elif kind == "mostly nothing":
        scores[rng.random(size) < 0.95] = -np.inf
    elif kind == "ascending":  # no sample is like the whole
        scores = np.sort(scores)
    elif kind == "all alike":
        scores[:] = 1
    for count in (1, 10, 300, 10_000):
        wanted = np.sort(scores[scores > -np.inf])[::-1][:count]
        found = greatest(scores, count)
        assert len(set(found.tolist())) == len(found)
        assert np.sort(scores[found])[::-1].tolist() == wanted.tolist()
