"""How many guesses get through, whoever makes them from wherever; and that nobody waits for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.identity.throttle import LoginThrottle
from shared.clock import ManualClock
from shared.errors import TooMany
from tests.harness.long import examples

START = datetime(2026, 3, 2, tzinfo=UTC)
HANDLES = ["anna", "bob", "BOB", "nobody"]
ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::ffff", "2001:db8:1::1", None, "not an address"]
TRIES = st.lists(
    st.tuples(st.sampled_from(HANDLES), st.sampled_from(ADDRESSES), st.floats(0, 20), st.booleans()), max_size=80
)


def place(address: str | None) -> str | None:
    """IPv6 addresses of one network are one."""
    return "2001:db8::" if address in {"2001:db8::1", "2001:db8::ffff"} else address


@examples(25)
@given(tries=TRIES)
def test_wrong_guesses_are_few_and_waits_are_short(tries: list[tuple[str, str | None, float, bool]]) -> None:
    clock = ManualClock(START)
    throttle = LoginThrottle(clock)
    wrong: dict[tuple[str, str | None], int] = {}
    waits: list[float] = []
    for handle, address, pause, is_right in tries:
        clock.advance(timedelta(seconds=pause))
        try:
            throttle.take(handle, address)
        except TooMany as refused:
            waits.append(refused.retry_after or 0.0)
            continue
        if is_right:
            throttle.was_right(handle, address)
        else:
            key = handle.lower(), place(address)
            wrong[key] = wrong.get(key, 0) + 1
    assert all(0 < wait <= 30 for wait in waits)
    for count in wrong.values():
        assert count <= 5 + clock.monotonic() / 30
    for where in {place for _, place in wrong}:
        assert sum(count for (_, place), count in wrong.items() if place == where) <= 30 + clock.monotonic() / 4


@examples(25)
@given(tries=TRIES)
def test_who_waits_as_long_as_it_is_told_may_try(tries: list[tuple[str, str | None, float, bool]]) -> None:
    clock = ManualClock(START)
    throttle = LoginThrottle(clock)
    for handle, address, _, _ in tries:
        try:
            throttle.take(handle, address)
        except TooMany as refused:
            clock.advance(timedelta(seconds=(refused.retry_after or 0) + 1e-6))
            throttle.take(handle, address)


def test_guesses_from_everywhere_slow_down_who_is_new_there_and_nobody_else() -> None:
    clock = ManualClock(START)
    throttle = LoginThrottle(clock)
    throttle.take("bob", "198.51.100.7")
    throttle.was_right("bob", "198.51.100.7")
    refused = 0
    for number in range(100):
        try:
            throttle.take("bob", f"203.0.113.{number}")
        except TooMany:
            refused += 1
    assert refused == 70
    for _ in range(5):
        throttle.take("bob", "198.51.100.7")
    throttle.take("anna", "198.51.100.8")


def test_the_memory_of_names_is_bounded() -> None:
    clock = ManualClock(START)
    throttle = LoginThrottle(clock)
    for number in range(12_000):
        clock.advance(timedelta(milliseconds=1))
        throttle.take(f"name-{number}", f"2001:db8:{number:x}::1")
    kept = [len(bucket._left) for bucket in (throttle._both, throttle._address, throttle._user)]
    assert max(kept) <= 10_000


def test_who_has_a_network_of_ipv6_has_the_tries_of_one_address() -> None:
    throttle = LoginThrottle(ManualClock(START))
    for number in range(5):
        throttle.take("anna", f"2001:db8::{number:x}")
    with pytest.raises(TooMany):
        throttle.take("anna", "2001:db8::ffff:ffff:ffff:ffff")
    throttle.take("anna", "2001:db8:0:1::1")


def test_whose_tries_are_spent_is_not_forgotten_for_many_names_that_have_theirs_back() -> None:
    clock = ManualClock(START)
    throttle = LoginThrottle(clock)
    for _ in range(5):
        throttle.take("anna", "192.0.2.1")
    for number in range(9_990):
        throttle.take(f"name-{number}", f"2001:db8:{number:x}::1")
    clock.advance(timedelta(seconds=31))
    for number in range(20):
        throttle.take(f"later-{number}", f"2001:db9:{number:x}::1")
    throttle.take("anna", "192.0.2.1")
    with pytest.raises(TooMany):
        throttle.take("anna", "192.0.2.1")
