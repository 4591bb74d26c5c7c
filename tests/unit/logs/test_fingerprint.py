from __future__ import annotations

import pytest

from agent.core.running.fingerprint import fingerprint, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 17 of 99 is broken", "row 4 of 12345 is broken"),
        ("cannot open /var/lib/a.db: denied", "cannot open /tmp/x/b.db: denied"),
        ("column 'total' is missing", 'column "name of it" is missing'),
        ("GET https://a.example/1?x=2 failed", "GET http://b.example:81/ failed"),
        ("object at 0x7f00aa12", "object at 0x55deadbeef"),
        ("run 0189f3a0-1111-7222-8333-444455556666 lost", "run 0199f3a0-1111-7222-8333-444455556abc lost"),
        ("commit deadbeef01 is gone", "commit 0011223344aa is gone"),
        ("at 2026-03-29T02:30:00Z, after 1.5 s", "at 2027-01-01T00:00:01Z, after 10 s"),
        ("\x1b[31mfailed\x1b[0m\n  twice", "failed twice"),
    ],
)
def test_what_varies_does_not_count(one: str, other: str) -> None:
    assert fingerprint("t", "k", one) == fingerprint("t", "k", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("permission denied", "no such table"),
        ("it doesn't match", "it doesn't exist"),
        ("and/or fails", "and/or works"),
    ],
)
def test_what_is_different_is_told_apart(one: str, other: str) -> None:
    assert fingerprint("t", "k", one) != fingerprint("t", "k", other)


def test_type_and_kind_count() -> None:
    assert len({fingerprint("a", "k", "m"), fingerprint("b", "k", "m"), fingerprint("a", "l", "m")}) == 3


def test_it_is_the_same_for_ever() -> None:
    assert fingerprint("kb-sync", "error", "row 17 of '/tmp/a' is broken") == "3b8d24a2f1b71f84"
    assert normalise("row 17 of '/tmp/a' is broken") == "row <n> of <value> is broken"


def test_a_message_of_any_length_is_quick() -> None:
    assert len(normalise("'" * 100_000 + '"\\' * 100_000)) <= 500
