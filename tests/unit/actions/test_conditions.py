"""Run conditions: what they answer, what they refuse, and that no text can hold up who reads it."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.actions.conditions import DEEPEST, LONGEST, ConditionError, compile_condition
from agent.core.actions.steps import StepDone, Steps, names_of

STEPS = Steps(
    {
        "main": StepDone(
            state="completed", result={"rows_synced": 3, "errors": [], "items": [{"state": "done"}], "text": "orders"}
        ),
        "a1": StepDone(state="failed", message="no answer"),
        "a2": StepDone(state="skipped", message="its condition was false"),
    },
    {"notify": "a1", "report": "a2"},
)

ANSWERS = [
    ('results["main"]["rows_synced"] > 0', True),
    ('results["main"]["rows_synced"] > 0 and ok("notify")', False),
    ('failed("notify")', True),
    ('failed("a1") and skipped("report")', True),
    ("any_failed()", True),
    ("not any_failed()", False),
    ('get("main", "items.0.state") == "done"', True),
    ('get("main", "items.7.state") is None', True),
    ('get("main", "nothing", 5) == 5', True),
    ('get("nobody", "nothing", 5) == 5', True),
    ('len(results["main"]["errors"]) == 0', True),
    ('"ord" in results["main"]["text"]', True),
    ('get("main", "rows_synced") in [1, 2, 3]', True),
    ('1 if ok("main") else 0', True),
    ('results["main"]["rows_synced"] * 2 + 1 == 7', True),
    ('results["main"]["rows_synced"] % 2', True),
    ('-results["main"]["rows_synced"] < 0', True),
    ('1 < results["main"]["rows_synced"] <= 3', True),
    ("True", True),
    ('results["a2"] == results["report"]', True),
]

REFUSED = [
    ('results.main["rows_synced"]', 'write ["main"]'),
    ('"".__class__', "no attributes"),
    ("().__class__.__bases__[0].__subclasses__()", "only these are called"),
    ('"{0.__class__}".format(1)', "only these are called"),
    ("9 ** 9 ** 9", "Pow"),
    ("1 << 100000", "LShift"),
    ('__import__("os").system("id")', "only these are called"),
    ("open", "there is no 'open'"),
    ("[x for x in [1, 2]]", "ListComp"),
    ("(lambda: 1)()", "only these are called"),
    ('f"{1}"', "JoinedStr"),
    ("(x := 1)", "NamedExpr"),
    ("x = 1", "statement"),
    ("import os", "statement"),
    ("1; 2", "statement"),
    ("", "empty"),
    ("  ", "empty"),
    ("results[", "at character"),
    ("ok(", "at character"),
    ("ok()", "takes 1 arguments"),
    ('get("main")', "takes 2 to 3 arguments"),
    ('ok(*["main"])', "by place"),
    ('ok(key="main")', "by place"),
    ('b"bytes" == 1', "bytes"),
    ("1j == 1", "complex"),
    ("...", "ellipsis"),
    ("{1: 2}", "Dict"),
    ("results[0:1]", "Slice"),
    ("9" * 30 + " > 1", "too large"),
    ("1 > " + "1 " * 600, "characters long"),
    ("(" * 150 + "1" + ")" * 150 + " > 0 or " + "not " * 100 + "1", "nested"),
    ("(" * 400 + "1" + ")" * 400, ""),
    ("-" * 900 + "1", "nested"),
    ("await x", ""),
    ("yield", ""),
    ("\0", ""),
]

FAILING = [
    ('results["main"]["missing"] > 0', "there is no 'missing'"),
    ('results["main"]["text"] > 0', "not supported"),
    ('results["main"]["items"][5]', "out of range"),
    ("1 / 0", "zero"),
    (f"{' * '.join(['999999999999999999'] * 20)} / 2 > 1", "too large"),
    ('"a" * 1000000000', "arithmetic is for numbers"),
    ('"%1000000000d" % 1', "arithmetic is for numbers"),
    ('results["main"]["errors"] * 1000000000', "arithmetic is for numbers"),
    ('"a" + "b" == "ab"', "arithmetic is for numbers"),
    ("len(5)", "no len"),
    ('get("main", "rows_synced") in 5', "not iterable"),
]


@pytest.mark.parametrize(("text", "expected"), ANSWERS)
def test_answers(text: str, expected: bool) -> None:
    assert compile_condition(text).holds(STEPS) is expected


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=range(len(REFUSED)))
def test_is_refused_before_it_is_stored(text: str, why: str) -> None:
    with pytest.raises(ConditionError, match=None) as refused:
        compile_condition(text)
    assert why in str(refused.value)


@pytest.mark.parametrize(("text", "why"), FAILING)
def test_fails_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(text).holds(STEPS)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [('ok("notfy")', "notfy"), ('results["mian"]["x"]', "mian"), ('get("later", "x")', "later"), ('skipped("")', "")],
)
def test_a_step_that_is_not_before_it_is_named(text: str, unknown: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(text, ["main", "notify"])
    assert str(refused.value) == f"{unknown!r} is no step before it; there are main, notify"


class Large(dict[str, Any]):
    """A result that may be asked for a value, but not walked through."""

    def values(self) -> Any:
        raise AssertionError("a condition walks through the results")

    items = __iter__ = values


def test_the_longest_and_deepest_is_answered_and_the_results_are_not_walked_through() -> None:
    steps = Steps({"main": StepDone.model_construct(state="completed", result=Large(x=1), message="")})
    part = 'results["main"]["x"]'
    wide = ("[" + ",".join([part] * 60))[: LONGEST - 1].rpartition(",")[0] + "] == 1"
    deep = "not " * (DEEPEST - 6) + part
    assert compile_condition(deep).holds(steps)
    assert not compile_condition(wide).holds(steps)


def test_names_that_two_have_or_that_are_ids_stand_for_nothing() -> None:
    found = names_of([("1", "mail"), ("2", "mail"), ("3", "main"), ("4", "1"), ("5", "hook"), ("6", None)])
    assert found == {"hook": "5"}
