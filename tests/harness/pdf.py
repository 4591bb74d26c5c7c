"""Small PDF files, written by hand: one page for each text, a title, an author."""

from __future__ import annotations

import zlib
from collections.abc import Sequence


def pdf(*pages: str, title: str = "A title", encrypted: bool = False) -> bytes:
    """The lines of each text below each other on a page; `encrypted`: behind a password that nobody knows."""
    return pdf_of([_drawn(page) for page in pages], title, encrypted=encrypted)


def pdf_that_grows(size: int) -> bytes:
    """A page whose content is `size` bytes once it is unpacked, of which it is some thousandth."""
    drawn = b"BT /F1 12 Tf 72 720 Td (A long page) Tj ET\n"
    return pdf_of([drawn * (size // len(drawn))], "Grows", encrypted=False)


def pdf_of(contents: Sequence[bytes], title: str, *, encrypted: bool) -> bytes:
    font, pages = 1, 2 + 2 * len(contents)
    objects = [b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for content in contents:
        packed = zlib.compress(content, 9)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed))
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R >> >> >>" % (pages, len(objects), font)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects.append(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids)))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % pages)
    objects.append(b"<< /Title (%s) /Author (Ann Author) >>" % title.encode("latin-1"))
    trailer = b"/Root %d 0 R /Info %d 0 R" % (pages + 1, pages + 2)
    if encrypted:
        owner, user = b"11" * 32, b"22" * 32
        objects.append(b"<< /Filter /Standard /V 1 /R 2 /Length 40 /P -44 /O <%s> /U <%s> >>" % (owner, user))
        trailer += b" /Encrypt %d 0 R /ID [<%s> <%s>]" % (len(objects), b"ab" * 16, b"ab" * 16)
    return _file(objects, trailer)


def _drawn(page: str) -> bytes:
    lines = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in page.split("\n")]
    return b"BT /F1 12 Tf 72 720 Td 14 TL\n%s ET" % b"".join(b"(%s) Tj T*\n" % line.encode("latin-1") for line in lines)


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    made, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d %s >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1, table, len(objects) + 1, trailer, len(made),
    )  # fmt: skip
