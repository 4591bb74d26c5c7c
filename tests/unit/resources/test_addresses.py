"""Which addresses what leaves the agent may reach."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from agent.resources.http.guard import is_allowed


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.0.0.192", "192.0.2.1",
        "192.88.99.1", "192.168.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:192.0.0.192", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1",
        "3fff::1", "5f00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reached_however_it_is_written(address: str) -> None:
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_what_is_public_is(address: str) -> None:
    assert is_allowed(ip_address(address), ())


def test_a_network_that_the_settings_name_is_reached_in_every_spelling() -> None:
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"):
        assert is_allowed(ip_address(address), ("10.1.0.0/16", "fd00::/8"))
    assert not is_allowed(ip_address("10.2.0.1"), ("10.1.0.0/16", "fd00::/8"))
