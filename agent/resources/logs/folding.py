"""Setting the same bits in all bytes of a text: the part of a search in any letter case that touches each byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

Folding = Callable[[bytes], "bytes | bytearray"]

WORTH = 64 * 1024 * 1024
"""Bytes to be looked through from which it pays to load numpy (a tenth of a second, 25 MB), if it is installed. It sets
bits about ten times as fast as a table does, which makes a search in any case half as long."""


def folding(bits: int, expected: int) -> Folding:
    """How to set `bits` in each of about `expected` bytes."""
    if not bits:
        return _as_it_is
    numpy = _numpy() if expected >= WORTH else None
    if numpy is None:
        table = bytes(byte | bits for byte in range(256))
        return lambda data: data.translate(table)
    return partial(_set_at_once, numpy, bits)


def _as_it_is(data: bytes) -> bytes:
    return data


def _set_at_once(numpy: Any, bits: int, data: bytes) -> bytearray:
    folded = bytearray(len(data))
    numpy.bitwise_or(numpy.frombuffer(data, numpy.uint8), bits, out=numpy.frombuffer(folded, numpy.uint8))
    return folded


def _numpy() -> Any:
    """None where knowledge bases, which need it, are not installed."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy
