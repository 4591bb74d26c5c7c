from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.filters import BadFilter, Kind, parse
from shared.filters.terms import NONE, Comparison, Day, Phrase, Stretch, Term


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("   ", ()),
        ("state:failed", (Comparison("state", ":", ("failed",)),)),
        ("STATE:Failed,cancelled", (Comparison("state", ":", ("failed", "cancelled")),)),
        ("-tag:dev", (Comparison("tag", ":", ("dev",), negated=True),)),
        ("name:~etl", (Comparison("name", ":~", ("etl",)),)),
        ('name:"a, b",c', (Comparison("name", ":", ("a, b", "c")),)),
        (r'name:"say \"hi\" \\"', (Comparison("name", ":", ('say "hi" \\',)),)),
        ("dur>10m", (Comparison("dur", ">", (timedelta(minutes=10),)),)),
        ("dur:>=1h30m", (Comparison("dur", ">=", (timedelta(minutes=90),)),)),
        ('dur<"2 hours"', (Comparison("dur", "<", (timedelta(hours=2),)),)),
        ("started<0s", (Comparison("started", "<", (timedelta(0),)),)),
        ("started:today", (Comparison("started", ":", (Day(0),)),)),
        ("error:none", (Comparison("error", ":", (NONE,)),)),
        ('error:"none"', (Comparison("error", ":", ("none",)),)),
        ("progress>=50%", (Comparison("progress", ">=", (50.0,)),)),
        ("conn", (Phrase(("conn",), prefix=True),)),
        ("orders_db.x", (Phrase(("orders", "db", "x"), prefix=True),)),
        ('-"Connection  Réfused"', (Phrase(("connection", "refused"), prefix=False, negated=True),)),
        ("10:30", (Phrase(("10", "30"), prefix=True),)),
        ("a=b", (Phrase(("a", "b"), prefix=True),)),
    ],
)
def test_what_a_text_says(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text, "run").terms == terms


@pytest.mark.parametrize(
    ("text", "start", "span"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1)),
        ("2026-03-01T10:30", datetime(2026, 3, 1, 10, 30, tzinfo=UTC), timedelta(minutes=1)),
        ("2026-03-01T10:30:05Z", datetime(2026, 3, 1, 10, 30, 5, tzinfo=UTC), timedelta(seconds=1)),
        ("2026-03-01T10:30+02:00", datetime(2026, 3, 1, 8, 30, tzinfo=UTC), timedelta(minutes=1)),
        ("2026-03-01t10:30:05.25z", datetime(2026, 3, 1, 10, 30, 5, 250_000, tzinfo=UTC), timedelta(microseconds=1)),
    ],
)
def test_a_date_is_as_long_as_it_is_precise(text: str, start: datetime, span: timedelta) -> None:
    assert parse(f"started>{text}", "run").terms == (Comparison("started", ">", (Stretch(start, start + span),)),)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("stat:failed", 0, "did you mean 'state'?"),
        ("tag:a  stat:failed", 7, "did you mean 'state'?"),
        ("zzz:1", 0, "there are state, type, name"),
        ("enabled:yes", 0, "there is no field 'enabled'"),
        ("state:faild", 6, "did you mean 'failed'?"),
        ("state:failed,x", 13, "it is one of pending, running"),
        ("state:none", 6, "no state"),
        ("state>failed", 5, "write state:"),
        ("state=failed", 5, "write state:"),
        ("name>a", 4, "write name:, name:~"),
        ("dur:10m", 4, "dur<10m"),
        ("dur>ten", 4, "a number and a unit"),
        ("dur>1h,5h", 6, "compares with one value"),
        ("started<soon", 8, "started<2h"),
        ("started:2026-02-30", 8, "neither a span nor a date"),
        ("started>none", 8, "started:none"),
        ("attempt>many", 8, "not a number"),
        ("state:", 6, "a value is missing after 'state:'"),
        ("state: failed", 6, "a value is missing"),
        ("tag:a,,b", 6, "a value is missing after 'tag:a,'"),
        ('name:""', 5, "a value is missing"),
        ('name:"open', 5, "not closed"),
        ('name:a"b"', 6, "a space is missing"),
        ('"a"b', 3, "a space is missing"),
        ("- a", 0, "without a space"),
        ("a -", 2, "without a space"),
        ("a OR b", 2, "alternatives go by commas"),
        ("***", 0, "no letter or digit"),
        ('a "..."', 2, "no letter or digit"),
        ("a\0b", 1, "NUL"),
        ("x" * 2001, 0, "2000 are allowed"),
        ("not " * 490, 4 * 30, "at most 30 terms"),
        ("name:" + ",".join("a" * 101) + " b", 5 + 2 * 100, "at most 100 values"),
        ("id:a,b " * 30 + "id:c", 7 * 30, "at most 30 terms"),
    ],
)
def test_a_fault_points_at_its_character_and_says_what_would_be_right(text: str, position: int, says: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse(text, "run")
    fault = caught.value
    assert (fault.position, fault.faults[0].field) == (position, "filter")
    assert says in fault.sentence
    message, shown, caret = fault.faults[0].message.splitlines()
    assert message.endswith(f"(at character {position + 1})")
    assert caret == " " * (position + 2) + "^"
    assert shown.startswith("  ")


@given(text=st.text(max_size=60), kind=st.sampled_from(["run", "job"]))
def test_no_text_is_more_than_refused(text: str, kind: Kind) -> None:
    _parse_or_refuse(text, kind)


_bits = st.sampled_from(["state", "tag", "dur", "next", ":", ":~", "<", ">=", "=", ",", '"', "\\", "-", " ", "\t", "none", "1h", "2026-03-01", "9999-12-31", "99999999w", "é", "²"])  # fmt: skip


@given(text=st.lists(_bits, max_size=12).map("".join), kind=st.sampled_from(["run", "job"]))
def test_no_mixture_of_its_parts_is_more_than_refused(text: str, kind: Kind) -> None:
    _parse_or_refuse(text, kind)


def _parse_or_refuse(text: str, kind: Kind) -> None:
    position = 0
    try:
        parse(text, kind)
    except BadFilter as fault:
        position = fault.position
    assert 0 <= position <= len(text)
