"""What is applied together is changed together: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.core.permissions.audit import acts
from agent.core.records import AuditQuery
from shared.errors import Conflict, NotFound, StaleVersion
from shared.models.applying import GivenDefinition
from tests.functional.agent.stage import Stage


def given(name: str, **more: Any) -> GivenDefinition:
    said = {"name": name, "type": "command", "data": {"command": "true"}, **more}
    return GivenDefinition(source="jobs.toml", definition=said)


def meanwhile(stage: Stage, happens: Callable[[], Awaitable[object]]) -> None:
    """Between the look at what is to be changed, and the change."""
    applying = stage.core.applying
    publish = applying._publish

    async def late(*args: Any) -> Any:
        await happens()
        return await publish(*args)

    applying._publish = late


async def test_none_is_made_where_the_name_of_one_was_taken_meanwhile(stage: Stage) -> None:
    meanwhile(stage, lambda: stage.job("third"))
    with pytest.raises(Conflict, match="'third'"):
        await stage.core.applying.apply(stage.me, [given("first"), given("second"), given("third")])
    for name in ("first", "second"):
        with pytest.raises(NotFound):
            await stage.core.jobs.get(stage.me, name)


async def test_none_is_changed_where_somebody_changed_one_meanwhile(stage: Stage) -> None:
    first, second = await stage.job("first"), await stage.job("second")
    meanwhile(stage, lambda: stage.edit(second, description="by hand"))
    changed = [given(name, description="as code") for name in ("first", "second", "new")]
    with pytest.raises(StaleVersion):
        await stage.core.applying.apply(stage.me, changed)
    assert (await stage.core.jobs.get(stage.me, first.id)).description == ""
    assert (await stage.core.jobs.get(stage.me, second.id)).description == "by hand"
    with pytest.raises(NotFound):
        await stage.core.jobs.get(stage.me, "new")


async def test_the_record_names_each(stage: Stage) -> None:
    """However many they are: of other acts that change more than a few things it says how many."""
    await stage.core.applying.apply(stage.me, [given("Job 0")])
    with acts(stage.me, "apply_definitions"):
        many = await stage.core.applying.apply(stage.me, [given(f"Job {number}") for number in range(30)])
    assert [item.act for item in many.items] == ["unchanged"] + ["create"] * 29
    assert [item.revision for item in many.items] == [1] * 30
    told = await stage.agent.sql.list_audit(stage.me.account_id, AuditQuery(limit=100))
    named = {entry.subject_name for entry in told if entry.act == "apply_definitions"}
    assert named == {f"Job {number}" for number in range(1, 30)}
