"""The table of the design, case by case; the random walk is in tests/property/schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo
from zoneinfo._zoneinfo import ZoneInfo as ReadableZone  # type: ignore[attr-defined]

import pytest

from shared.errors import InvalidInput
from shared.models.job import Dst
from shared.schedule import zone_data_version
from shared.schedule.instants import to_micros
from shared.schedule.zone import Zone, load_zone
from tests.property.schedule.zones import ZONES
from tests.unit.schedule.helpers import cron, local_fires, simple, utc

SPRING, AUTUMN = "2026-03-29", "2026-10-25"


@pytest.mark.parametrize(
    ("expression", "dst", "spring", "autumn"),
    [
        ("30 2 * * *", {}, "03:00+0200", "02:30+0200"),
        ("0,30 2 * * *", {}, "03:00+0200", "02:00+0200 02:30+0200"),
        ("0 2,3 * * *", {}, "03:00+0200", "02:00+0200 03:00+0100"),
        ("30 2 * * *", {"gap": "skip"}, "", "02:30+0200"),
        ("30 2 * * *", {"fold": "second"}, "03:00+0200", "02:30+0100"),
        ("30 2 * * *", {"fold": "both"}, "03:00+0200", "02:30+0200 02:30+0100"),
        ("*/30 2 * * *", {}, "", "02:00+0200 02:30+0200 02:00+0100 02:30+0100"),
        ("*/30 2 * * *", {"gap": "after"}, "03:00+0200", "02:00+0200 02:30+0200 02:00+0100 02:30+0100"),
        ("*/30 2 * * *", {"fold": "first"}, "", "02:00+0200 02:30+0200"),
        ("*/30 2 * * *", {"fold": "second"}, "", "02:00+0100 02:30+0100"),
        ("30 */2 * * *", {}, " ".join(["00:30+0100", *(f"{h:02}:30+0200" for h in range(4, 24, 2))]), None),
        ("30 1 * * *", {}, "01:30+0100", "01:30+0200"),
    ],
)
def test_berlin(expression: str, dst: dict[str, Any], spring: str, autumn: str | None) -> None:
    schedule = cron(expression, "Europe/Berlin", dst=Dst(**dst))
    assert " ".join(local_fires(schedule, SPRING)) == spring
    if autumn is not None:
        assert " ".join(local_fires(schedule, AUTUMN)) == autumn


@pytest.mark.parametrize(
    ("zone", "expression", "day", "fires"),
    [
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04", "02:30+1100"),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-05", "01:45+1100"),
        ("Australia/Lord_Howe", "*/15 1 * * *", "2026-04-05", "01:00+1100 01:15+1100 01:30+1100 01:45+1100 01:30+1030 01:45+1030"),
        ("America/Havana", "0 0 * * *", "2026-03-08", "01:00-0400"),
        ("America/Havana", "30 0 * * *", "2026-11-01", "00:30-0400"),
        ("Africa/Cairo", "30 0 * * *", "2026-04-24", "01:00+0300"),
        ("Africa/Cairo", "30 23 * * *", "2026-10-29", "23:30+0300"),
        ("Asia/Beirut", "0 0 * * *", "2026-03-29", "01:00+0300"),
        ("Antarctica/Troll", "30 2 * * *", "2026-03-29", "03:00+0200"),
        ("Pacific/Chatham", "0 3 * * *", "2026-09-27", "03:45+1345"),
        ("Europe/Dublin", "30 1 * * *", "2026-10-25", "01:30+0100"),
        ("Africa/Casablanca", "30 2 * * *", "2026-02-15", "02:30+0100"),
    ],
)  # fmt: skip
def test_other_clocks(zone: str, expression: str, day: str, fires: str) -> None:
    assert " ".join(local_fires(cron(expression, zone), day)) == fires


def test_the_day_that_apia_left_out() -> None:
    noon = cron("0 12 * * *", "Pacific/Apia")
    assert local_fires(noon, "2011-12-29", 3) == ["29 12:00-1000", "31 00:00+1400", "31 12:00+1400"]
    assert local_fires(cron("0 */12 * * *", "Pacific/Apia"), "2011-12-29", 3)[1:3] == ["29 12:00-1000", "31 00:00+1400"]
    start = simple("1 day", "Pacific/Apia", start_on="2011-12-30")
    assert start.window_start == utc("2011-12-30T10:00")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("dst", [{}, {"gap": "skip", "fold": "second"}, {"fold": "both"}])
def test_one_day_is_the_same_as_a_fixed_cron(zone: str, dst: dict[str, Any]) -> None:
    """Days of simple intervals follow the fixed-time rule and never drift."""
    years = ZONES[zone]
    start, end = utc(f"{years.start}-01-05"), utc(f"{years.start + 2}-01-05")
    for at in ("00:00", "00:30", "02:30"):
        daily = simple("1 day", zone, start_on=f"{years.start}-01-03T{at}", dst=Dst(**dst))
        fixed = cron(f"{at[3:]} {at[:2]} * * *", zone, dst=Dst(**dst))
        assert daily.between(start, end, 3000) == fixed.between(start, end, 3000)


@pytest.mark.parametrize("zone", ZONES)
def test_shifts_are_those_of_the_zone_data(zone: str) -> None:
    """None missed, none invented, to the second: against the table inside the zone data (it ends in 2037)."""
    table = ReadableZone(zone)
    offsets = [int(info.utcoff.total_seconds()) for info in table._ttinfos]
    wanted = [
        at for at, before, after in zip(table._trans_utc[1:], offsets, offsets[1:], strict=False)
        if before != after and 0 < at < 2**31
    ]  # fmt: skip
    end = to_micros(utc("2037-12-31"))
    found = [span.start // 1_000_000 for span in load_zone(zone).spans(1, end) if span.start > 0]
    assert found == [at for at in wanted if at * 1_000_000 < end]


@pytest.mark.parametrize("asked_before", ["1971-06-01", "1990-01-01", "2020-06-01"])
def test_a_span_is_seen_once_wherever_knowledge_ended(asked_before: str) -> None:
    """What was asked before decides how far a zone is known; a span that reaches behind that is still one."""
    zone = Zone("Asia/Dhaka", ZoneInfo("Asia/Dhaka"))
    zone.span_at(to_micros(utc(asked_before)))
    starts = [span.start for span in zone.spans(1, to_micros(utc("2150-01-01")))]
    assert len(starts) == len(set(starts)) == 3


def test_a_zone_far_ahead_is_still_right() -> None:
    schedule = cron("30 2 * * *", "Europe/Berlin")
    moment = schedule.next(utc("2399-07-01"))
    assert moment == utc("2399-07-01T00:30")
    assert moment.astimezone(ZoneInfo("Europe/Berlin")).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "europe/berlin", "../etc/passwd", "/etc/localtime", "Europe", "right/UTC", "x\0", "a" * 300]
)  # fmt: skip
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        cron("* * * * *", zone)
    assert refusal.value.faults[0].field == "timezone"
    assert refusal.value.faults[0].value == zone


def test_a_zone_in_other_letters_is_suggested() -> None:
    with pytest.raises(InvalidInput, match="'Europe/Berlin'"):
        cron("* * * * *", "europe/berlin")


def test_the_zone_data_have_a_version() -> None:
    source, version = zone_data_version().split(" ", 1)
    assert source in {"system", "tzdata"}
    assert version[:2] == "20" or version.startswith("of ")
