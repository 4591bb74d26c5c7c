"""Documents that are zip files: unpacked once and counted before a library does, for what they say of themselves may be
a lie, and a few kilobytes may unpack to more than there is memory."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib

MOST_UNPACKED = 200_000_000
GROWTH = 4
"""Large files may unpack to so many times their size: pictures do not shrink."""
MOST_PARTS = 20_000
_PIECE = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What unpacking raises. OSError: bzip2; RuntimeError: what is encrypted, or packed in a way that zipfile does not know."""
_OFFICE_ENVELOPE = b"\xd0\xcf\x11\xe0"


def fault_of(content: bytes) -> str | None:
    """Why it is not to be read; None: it may be."""
    if content.startswith(_OFFICE_ENVELOPE):
        return "it is encrypted, or a document of an older kind"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _fault(archive, max(MOST_UNPACKED, GROWTH * len(content)))
    except _DAMAGED as error:
        return f"it is damaged or encrypted: {error}"[:200]


def _fault(archive: zipfile.ZipFile, most: int) -> str | None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS:
        return f"it holds {len(parts)} files, more than {MOST_PARTS}"
    room = most
    for part in parts:
        with archive.open(part) as file:
            while piece := file.read(_PIECE):
                room -= len(piece)
                if room < 0:
                    return f"it unpacks to more than {most // 1_000_000} MB"
    return None
