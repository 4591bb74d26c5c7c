"""Arithmetic that every embedder shares."""

from __future__ import annotations

import numpy as np

from agent.resources.embedders.opening import Vectors


def unit(vectors: Vectors) -> Vectors:
    """Each row scaled to length 1, in float32; rows that are zero or not finite become zero."""
    rows = np.nan_to_num(np.asarray(vectors, dtype=np.float32), copy=True, nan=0.0, posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows
