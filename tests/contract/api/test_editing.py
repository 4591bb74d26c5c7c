"""Parts of definitions are changed alike in jobs and in drafts; only a job's change is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.core.permissions.callers import Caller
from shared.errors import InvalidInput, NotFound, StaleVersion
from shared.models import Action, Draft, DraftInput, Job, JobInput
from tests.harness.agent import RunningAgent

SHELL = {"name": "Nightly dump", "type": "command", "data": {"command": "true"}}


@pytest.fixture
def caller(agent: RunningAgent) -> Caller:
    local: Caller = agent.core.gate.local()
    return local


async def published(agent: RunningAgent, caller: Caller, **fields: Any) -> Job:
    job: Job = await agent.core.jobs.create(caller, JobInput.model_validate(SHELL | fields))
    return job


def saying(text: str) -> Callable[[JobInput], JobInput]:
    return lambda definition: definition.model_copy(update={"description": text})


async def test_a_change_of_a_job_is_its_next_revision(agent: RunningAgent, caller: Caller) -> None:
    job = await published(agent, caller)
    for key in (job.id, "nightly-dump", "operator:nightly-dump"):
        changed = await agent.core.editing.change(caller, key, saying(f"by {key}"))
        assert isinstance(changed, Job)
        assert changed.description == f"by {key}"
    assert changed.revision == 4


async def test_a_change_of_a_draft_leaves_the_job_alone(agent: RunningAgent, caller: Caller) -> None:
    job = await published(agent, caller)
    draft, made = await agent.core.drafts.edit(caller, job.id)
    assert made
    changed = await agent.core.editing.change(caller, draft.id, saying("not yet"))
    assert isinstance(changed, Draft)
    assert (changed.description, changed.version) == ("not yet", 2)
    definition, head = await agent.core.editing.definition(caller, draft.id)
    assert (definition.description, head.id) == ("not yet", draft.id)
    assert (await agent.core.jobs.get(caller, job.id)).description == ""


async def test_a_draft_may_say_what_no_job_may(agent: RunningAgent, caller: Caller) -> None:
    draft = await agent.core.drafts.start(caller, DraftInput())

    def with_action(definition: JobInput) -> JobInput:
        return definition.model_copy(update={"actions": [Action(type="nothing")]})

    changed = await agent.core.editing.change(caller, draft.id, with_action)
    assert changed.actions[0].id is not None
    job = await published(agent, caller)
    with pytest.raises(InvalidInput):
        await agent.core.editing.change(caller, job.id, with_action)


async def test_a_change_is_made_anew_when_somebody_was_faster(agent: RunningAgent, caller: Caller) -> None:
    job = await published(agent, caller)
    await agent.core.jobs.replace(caller, job.id, JobInput.model_validate(SHELL | {"tags": ["theirs"]}), None)
    seen: list[list[str]] = []

    def make(definition: JobInput) -> JobInput:
        seen.append(definition.tags)
        return definition.model_copy(update={"description": "mine"})

    original = agent.core.jobs.get

    async def late(*args: Any) -> Job:
        """The job as it was before they changed it: what a slow reader has in hand."""
        found: Job = await original(*args)
        return found if seen else found.model_copy(update={"version": job.version})

    agent.core.jobs.get = late
    changed = await agent.core.editing.change(caller, job.id, make)
    assert len(seen) == 2
    assert (changed.tags, changed.description) == (["theirs"], "mine")


async def test_who_names_a_version_is_refused_under_another(agent: RunningAgent, caller: Caller) -> None:
    job = await published(agent, caller)
    with pytest.raises(StaleVersion):
        await agent.core.editing.change(caller, job.id, saying("x"), expected_version=7)
    assert (await agent.core.jobs.get(caller, job.id)).revision == 1


async def test_nobody_else_finds_the_draft(agent: RunningAgent, caller: Caller) -> None:
    draft = await agent.core.drafts.start(caller, DraftInput(name="Mine"))
    other = Caller(caller.account_id, "somebody", "ben", caller.scopes, "token")
    with pytest.raises(NotFound):
        await agent.core.editing.definition(other, draft.id)
