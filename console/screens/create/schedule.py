"""The fields that say when a job runs."""

from __future__ import annotations

from console.screens.create.fields import Field, Option

WHEN = "intervalType"
INTERVAL = "interval"
ZONE = "timezone"
STARTS = "startOn"
ENDS = "endOn"
GAP = "policies.dst.gap"
FOLD = "policies.dst.fold"

FIELDS = (
    Field(
        WHEN, "When",
        options=(
            Option("none", "only by hand or by API"), Option("cron", "minute hour day month weekday"),
            Option("simple", "every so often: 10 minutes"), Option("once", "at one moment"),
        ),
        is_required=True, is_closed=True,
    ),
    Field(INTERVAL, "Schedule", "cron: five fields; simple: 10 minutes; once: 2026-03-01T02:00", source="intervals"),
    Field(ZONE, "Time zone", "the zone of its wall-clock times", source="zones", hint="UTC", is_closed=True),
    Field(STARTS, "Not before", "a date or a moment; empty: at once"),
    Field(ENDS, "Not after", "a date or a moment; empty: for ever"),
    Field(
        "policies.overlap", "If still running", "what a fire does that finds the one before active", hint="skip",
        options=(
            Option("skip", "leave this one out"), Option("queue_one", "one waits"), Option("queue_all", "all wait"),
            Option("cancel_running", "stop the one that runs"), Option("allow", "run beside it"),
        ),
        is_closed=True,
    ),
    Field(
        GAP, "Hour that is not", "a time within the hour that is skipped when the clocks go forward", hint="by the schedule",
        options=(Option("after", "runs once the hour is over"), Option("skip", "does not run that day")), is_closed=True,
    ),
    Field(
        FOLD, "Hour that is twice", "a time within the hour that comes twice when the clocks go back", hint="by the schedule",
        options=(Option("first", "runs the first time"), Option("second", "runs the second time"), Option("both")),
        is_closed=True,
    ),
    Field("policies.timeout", "Time limit", "as in 30 s, 10 minutes, 2 hours", hint="none"),
    Field("policies.retry.attempts", "Attempts", "in all; only failures that may pass are tried again", "number", hint="3"),
    Field("enabled", "Enabled", "no: it is there, but does not fire", "flag", options=(Option("yes"), Option("no")), hint="yes"),
)  # fmt: skip

INTERVALS = {
    "cron": (
        Option("*/10 * * * *", "every ten minutes"), Option("0 * * * *", "every hour"),
        Option("30 2 * * *", "every night at 02:30"), Option("0 6 * * MON-FRI", "06:00 on weekdays"),
        Option("0 4 * * SUN", "04:00 on Sundays"), Option("0 3 1 * *", "03:00 on the first"),
        Option("0 22 L * *", "22:00 on the last day"),
    ),
    "simple": (Option("30 seconds"), Option("5 minutes"), Option("1 hour"), Option("1 day"), Option("1 week")),
}  # fmt: skip
"""What can be picked where a schedule is asked for; anything else can be typed."""


def has_moments(when: str) -> bool:
    """Whether that kind of schedule fires of itself."""
    return when in {"cron", "simple", "once"}
