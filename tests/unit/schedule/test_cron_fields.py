from __future__ import annotations

import pytest

from shared.errors import InvalidInput
from shared.schedule.cron import parse_cron
from tests.unit.schedule.helpers import cron, local_fires, utc


@pytest.mark.parametrize(
    ("expression", "field", "says"),
    [
        ("* * * *", "4 fields", "five"),
        ("0 * * * * *", "6 fields", "five"),
        ("0 * * * * * *", "7 fields", "five"),
        ("", "interval", "missing"),
        ("   ", "interval", "missing"),
        ("* * ? * *", "day of month", "'?'"),
        ("* * * * ?", "day of week", "'?'"),
        ("* * 15W * *", "day of month", "'W'"),
        ("* * LW * *", "day of month", "'W'"),
        ("5-1 * * * *", "minute", "reversed"),
        ("* 22-2 * * *", "hour", "reversed"),
        ("* * 20-10 * *", "day of month", "reversed"),
        ("* * * OCT-MAR *", "month", "reversed"),
        ("* * * * 5-1", "day of week", "reversed"),
        ("* * * * SAT-MON", "day of week", "reversed"),
        ("* * * * 7-2", "day of week", "reversed"),
        ("*/0 * * * *", "minute", "step 0"),
        ("*/61 * * * *", "minute", "1 and 60"),
        ("* */25 * * *", "hour", "1 and 24"),
        ("* * */32 * *", "day of month", "1 and 31"),
        ("* * * */13 *", "month", "1 and 12"),
        ("* * * * */8", "day of week", "1 and 7"),
        ("60 * * * *", "minute", "0 to 59"),
        ("* 24 * * *", "hour", "0 to 23"),
        ("* * 0 * *", "day of month", "1 to 31"),
        ("* * 32 * *", "day of month", "1 to 31"),
        ("* * * 0 *", "month", "1 to 12"),
        ("* * * 13 *", "month", "JAN"),
        ("* * * * 8", "day of week", "0 to 7"),
        ("* * * * 5#0", "day of week", "1 to 5"),
        ("* * * * 5#6", "day of week", "1 to 5"),
        ("* * * * L5", "day of week", "'L5'"),
        ("* * * * L", "day of week", "'L'"),
        ("* * L-3 * *", "day of month", "'L'"),
        ("* * L/2 * *", "day of month", "'L'"),
        ("* * * * 1-5#2", "day of week", "not understood"),
        ("* * * * 5#2/2", "day of week", "not understood"),
        ("1,,2 * * * *", "minute", "empty"),
        (", * * * *", "minute", "empty"),
        ("-5 * * * *", "minute", "'-5'"),
        ("1- * * * *", "minute", "'1-'"),
        ("*-5 * * * *", "minute", "not a range"),
        ("*/ * * * *", "minute", "'*/'"),
        ("1.5 * * * *", "minute", "'1.5'"),
        ("h * * * *", "minute", "'H'"),
        ("* * * * DAY", "day of week", "SUN"),
        ("* * * MON *", "month", "'MON'"),
        ("٣ * * * *", "interval", "five"),
        ("99999999999999999999 * * * *", "minute", "out of range"),
        ("@reboot", "@reboot", "@hourly"),
        ("@", "'@'", "@hourly"),
        ("0 0 30 2 *", "30", "never fires"),
        ("0 0 31 4,6,9,11 *", "31", "never fires"),
        ("0 0 */31 2 5#5", "*/31", "never fires"),
    ],
)
def test_refused_with_the_field_named(expression: str, field: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        cron(expression)
    assert {fault.field for fault in refusal.value.faults} == {"interval"}
    assert refusal.value.faults[0].value == expression
    assert field in str(refusal.value)
    assert says in str(refusal.value)


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        cron("60 5-1 ? 13 5#9")
    named = [fault.message.split(" field")[0] for fault in refusal.value.faults]
    assert named == ["minute", "hour", "day of month", "month", "day of week"]


def test_what_fires_only_in_a_skipped_hour_is_refused() -> None:
    from shared.models.job import Dst

    expression = "30 2 25-31 3 */7"
    assert cron(expression, "Europe/Berlin").next(utc("2026-01-01")) == utc("2026-03-29T01:00")
    with pytest.raises(InvalidInput, match=r"never fires.*dst\.gap"):
        cron(expression, "Europe/Berlin", dst=Dst(gap="skip"))


@pytest.mark.parametrize("low", range(8))
@pytest.mark.parametrize("step", range(1, 8))
def test_weekday_ranges(low: int, step: int) -> None:
    for high in range(low, 8):
        assert parse_cron(f"0 0 * * {low}-{high}/{step}").weekdays == {day % 7 for day in range(low, high + 1, step)}
    assert parse_cron(f"0 0 * * {low}/{step}").weekdays == {day % 7 for day in range(low, 8, step)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@MIDNIGHT", "0 0 * * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@Annually", "0 0 1 JAN *"),
        ("0 0 * * FRI-SUN", "0 0 * * 5-7"),
        ("0 0 * * fri-sun", "0 0 * * 5-0"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * SUN#2", "0 0 * * 7#2"),
        ("0 0 * * FRIL", "0 0 * * 5l"),
        ("5-5 * * * *", "5 * * * *"),
        ("0-59 1 * * *", "*/1 1 * * *"),
        (" 0\t0  * * * ", "0 0 * * *"),
        ("00 00 01 01 *", "0 0 1 1 *"),
        ("50/15 * * * *", "50 * * * *"),
        ("0 0 * jan-mar *", "0 0 * 1,2,3 *"),
    ],
)
def test_two_ways_to_say_it(one: str, other: str) -> None:
    start = utc("2026-01-01")
    end = utc("2028-12-31")
    assert cron(one).between(start, end, 400) == cron(other).between(start, end, 400)


@pytest.mark.parametrize(
    ("expression", "dates"),
    [
        ("0 0 13 * 5", "06 13 20 27"),  # both restricted: either
        ("0 0 13 * */5", "13"),  # 13th and (Sunday or Friday): a star binds
        ("0 0 */2 * 1", "09 23"),
        ("0 0 1-31 * 1", " ".join(f"{day:02}" for day in range(1, 29))),
        ("0 0 L * *", "28"),
        ("0 0 L,1 * *", "01 28"),
        ("0 0 L * 1", "02 09 16 23 28"),
        ("0 0 * * 5#2", "13"),
        ("0 0 * * 5L", "27"),
        ("0 0 * * 1,5#2", "02 09 13 16 23"),
        ("0 0 1 * 5#2", "01 13"),
        ("0 0 31 * 1L", "23"),
        ("0 0 30 2,3 *", ""),
    ],
)
def test_days_of_february_2026(expression: str, dates: str) -> None:
    fires = local_fires(cron(expression), "2026-02-01", 28)
    assert " ".join(fire.split()[0] for fire in fires) == dates


def test_leap_days_and_the_century_without_one() -> None:
    schedule = cron("0 0 29 2 */7")
    fires = schedule.between(utc("2030-01-01"), utc("2130-01-01"), 10)
    assert [fire.year for fire in fires] == [2032, 2060, 2088, 2128]
    assert [schedule.latest(fire, utc("2030-01-01")) for fire in fires] == fires
