"""Two edits of one definition: whoever changed nothing has no say, and nobody's change is lost without a word."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.core.definitions.comparing import changes, merge, plain
from shared.models import JobInput
from tests.harness.long import examples

_VALUES = st.recursive(
    st.booleans() | st.integers(2, 4) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
_DATA = st.dictionaries(st.sampled_from(["a", "b", "actions"]), _VALUES, max_size=3)


def _action(id_: str, to: int, attached: list[str]) -> dict[str, Any]:
    attachments = [{"id": f"{id_}-{name}", "type": "file", "name": name} for name in attached]
    return {"id": id_, "type": "email", "data": {"to": to}, "attachments": attachments}


_ATTACHED = st.lists(st.sampled_from("xy"), unique=True, max_size=2)
_ACTIONS = st.lists(st.sampled_from("pqr"), unique=True, max_size=3).flatmap(
    lambda ids: st.tuples(*(st.builds(_action, st.just(id_), st.integers(0, 1), _ATTACHED) for id_ in ids))
)
_JOBS = st.builds(
    lambda data, actions, tags, enabled: JobInput.model_validate(
        {"name": "Orders", "type": "command", "data": data, "actions": actions, "tags": tags, "enabled": enabled}
    ),
    _DATA, _ACTIONS, st.lists(st.sampled_from("tu"), unique=True, max_size=2), st.booleans(),
)  # fmt: skip


@examples(40)
@given(_JOBS, _JOBS)
def test_who_changed_nothing_has_no_say(base: JobInput, changed: JobInput) -> None:
    assert merge(base, changed, base) == (plain(changed), [])
    assert merge(base, base, changed) == (plain(changed), [])
    assert merge(base, changed, changed) == (plain(changed), [])


@examples(40)
@given(_JOBS, _JOBS, _JOBS)
def test_without_a_conflict_it_does_not_matter_who_comes_second(base: JobInput, one: JobInput, other: JobInput) -> None:
    merged, conflicts = merge(base, one, other)
    swapped, same = merge(base, other, one)
    assert sorted(conflicts) == sorted(same)
    if not conflicts:
        assert merged == swapped
    JobInput.model_validate(merged)


@examples(40)
@given(_JOBS, _JOBS, _JOBS)
def test_what_was_changed_is_there_or_named(base: JobInput, mine: JobInput, theirs: JobInput) -> None:
    merged, conflicts = merge(base, mine, theirs)
    after = JobInput.model_validate(merged)
    mine_there = {each.field: each.after for each in changes(base, after)}
    for each in [*changes(base, mine), *changes(base, theirs)]:
        told = any(
            f"{each.field}.".startswith(f"{field}.") or f"{field}.".startswith(f"{each.field}.") for field in conflicts
        )
        nested = any(
            f"{field}.".startswith(f"{each.field}.") or f"{each.field}.".startswith(f"{field}.") for field in mine_there
        )
        assert told or nested or each.field in mine_there, (each, conflicts)


@examples(40)
@given(_JOBS, _JOBS)
def test_what_differs_is_named_and_nothing_else(one: JobInput, other: JobInput) -> None:
    named = changes(one, other)
    assert (named == []) == (plain(one) == plain(other))
    assert len({each.field for each in named}) == len(named)
