"""Bodies of answers as they come, unpacked no further than they are kept: a few packed kilobytes may be gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from agent.core.driving import DriverError

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

Unpack = Callable[[bytes, int], bytes]
"""What the next part of a body says, at most so many bytes of it."""


def unpacker(coding: str) -> Unpack:
    """For a body of this Content-Encoding. Answers are asked for unpacked; servers that pack them all the same do it
    once, with gzip. DriverError(kind='answer') for anything else, as soon as there is a part of it."""
    named = coding.strip().lower()
    if named in ("", "identity"):
        return lambda part, room: part[:room]
    if named not in ("gzip", "x-gzip", "deflate"):
        return _refuser(f"the answer is packed ({coding[:100]}); only gzip and deflate are unpacked, and only once")
    packed = zlib.decompressobj(_GZIP_OR_ZLIB)

    def unpack(part: bytes, room: int) -> bytes:
        try:
            return packed.decompress(part, room)
        except zlib.error as error:
            raise DriverError("answer", f"the answer says that it is packed ({named}), but: {error}") from None

    return unpack


def _refuser(message: str) -> Unpack:
    def refuse(_part: bytes, _room: int) -> bytes:
        raise DriverError("answer", message)

    return refuse
