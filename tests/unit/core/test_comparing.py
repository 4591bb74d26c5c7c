"""Two definitions compared, three merged."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.definitions.comparing import changes, merge
from shared.models import JobInput


def job(**fields: Any) -> JobInput:
    return JobInput.model_validate({"name": "Orders", "type": "command", **fields})


def action(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "email", **fields}


def fields_of(before: JobInput, after: JobInput) -> dict[str, tuple[Any, Any]]:
    return {each.field: (each.before, each.after) for each in changes(before, after)}


def test_the_same_differs_in_nothing() -> None:
    assert changes(job(actions=[action("a")]), job(actions=[action("a")])) == []


def test_an_action_is_known_wherever_it_stands() -> None:
    before = job(actions=[action("a", data={"to": "x"}), action("b")])
    after = job(actions=[action("new"), action("a", data={"to": "y"}), action("b")])
    found = fields_of(before, after)
    assert found["actions.a.data.to"] == ("x", "y")
    assert found["actions.new"][0] is None
    assert set(found) == {"actions.a.data.to", "actions.new"}


def test_actions_that_changed_places_are_told() -> None:
    found = fields_of(job(actions=[action("a"), action("b")]), job(actions=[action("b"), action("a")]))
    assert found == {"actions": (["a", "b"], ["b", "a"])}


def test_what_a_driver_calls_actions_is_none() -> None:
    found = fields_of(job(data={"actions": [1, 2]}), job(data={"actions": [2, 1]}))
    assert found == {"data.actions": ([1, 2], [2, 1])}


def test_true_is_not_one() -> None:
    assert set(fields_of(job(data={"x": 1}), job(data={"x": True}))) == {"data.x"}


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "merged"),
    [
        ({"a": 1}, {"a": 2}, {"a": 1, "b": 1}, {"a": 2, "b": 1}),
        ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": 2, "y": 1}}, {"a": {"x": 1, "y": 2}}, {"a": {"x": 2, "y": 2}}),
        ({"actions": [1]}, {"actions": [1]}, {"actions": [2]}, {"actions": [2]}),
    ],
)
def test_what_only_one_changed_is_taken(base: Any, mine: Any, theirs: Any, merged: Any) -> None:
    found, conflicts = merge(job(data=base), job(data=mine), job(data=theirs))
    assert (found["data"], conflicts) == (merged, [])


def test_two_who_change_different_actions_do_not_conflict() -> None:
    base, mine, theirs = (
        job(actions=[action("a", data={"to": one}), action("b", data={"to": other})])
        for one, other in (("1", "1"), ("2", "1"), ("1", "3"))
    )
    merged, conflicts = merge(base, mine, theirs)
    assert [each["data"]["to"] for each in merged["actions"]] == ["2", "3"]
    assert conflicts == []


def test_a_list_that_both_changed_is_a_conflict() -> None:
    merged, conflicts = merge(job(tags=["a"]), job(tags=["a", "b"]), job(tags=["a", "c"]))
    assert (conflicts, merged["tags"]) == (["tags"], ["a", "b"])


def test_one_who_removes_what_the_other_changes_conflicts() -> None:
    base, mine, theirs = job(data={"a": 1}), job(), job(data={"a": 2})
    assert merge(base, mine, theirs)[1] == ["data.a"]
    assert merge(base, mine, theirs, prefer="theirs")[0]["data"] == {"a": 2}
    assert merge(base, mine, theirs, prefer="mine")[0]["data"] == {}


def test_both_making_the_same_change_is_none() -> None:
    assert merge(job(), job(enabled=False), job(enabled=False))[1] == []
