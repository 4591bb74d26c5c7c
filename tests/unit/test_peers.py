"""Where a request comes from, as far as anybody can be believed about it."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from agent.api.peers import ArrivingBy, Channel, address_of, is_encrypted, program_of

PROXIES = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.66, <script>", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
    ],
)
def test_only_proxies_that_are_trusted_say_where_a_request_comes_from(peer: str, said: str, address: str) -> None:
    scope = {"type": "http", "client": (peer, 1234)}
    assert address_of(scope, Headers({"X-Forwarded-For": said} if said else {}), PROXIES) == address


async def test_over_the_socket_there_is_no_address() -> None:
    seen = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(address_of(scope, Headers({"X-Forwarded-For": "198.51.100.1"}), ["0.0.0.0/0"]))  # type: ignore[arg-type]

    await ArrivingBy(app, Channel.SOCKET)({"type": "http", "client": ("127.0.0.1", 1)}, None, None)  # type: ignore[arg-type]
    assert seen == [None]


@pytest.mark.parametrize(
    ("scheme", "said", "encrypted"),
    [("http", "", False), ("https", "", True), ("http", "https", True), ("http", "https, http", False)],
)
def test_encryption_is_as_the_nearest_says(scheme: str, said: str, encrypted: bool) -> None:
    headers = Headers({"X-Forwarded-Proto": said} if said else {})
    assert is_encrypted({"type": "http", "scheme": scheme}, headers) is encrypted


def test_a_program_says_who_it_is_in_one_short_line() -> None:
    assert program_of(Headers({})) is None
    assert program_of(Headers(raw=[(b"user-agent", b"curl/8\x1b[31m\x07" + b"x" * 500)])) == "curl/8[31m" + "x" * 110
