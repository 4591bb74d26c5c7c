"""A job is edited in a form, compared, and published, as an operator does it against a real agent."""

from __future__ import annotations

from typing import Any

from console.screens.edit.screen import EditScreen
from tests.harness.agent_process import AgentProcess
from tests.harness.operator import Operator, operating


async def opened(operator: Operator) -> None:
    await operator.reads("live")
    await operator.press("2")
    await operator.reads("edit")
    await operator.press("e")
    await operator.reads("Edit the job", "Name *")


async def retyped(operator: Operator, text: str) -> None:
    """In the field that has the cursor."""
    await operator.press("end", *["backspace"] * 40)
    await operator.type(text)


async def to_three(operator: Operator) -> None:
    """From the first step on, move the fires to three."""
    await operator.press("ctrl+s")
    await operator.reads("When *", "0 2 * * *")
    await operator.press("enter")
    await retyped(operator, "0 3 * * *")


def now(agent: AgentProcess, job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = agent.call("GET", f"/api/jobs/{job['id']}")
    return found


def drafts(agent: AgentProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("GET", "/api/drafts")["items"]
    return found


async def left(operator: Operator) -> None:
    await operator.until(lambda: not isinstance(operator.app.screen, EditScreen), "the list of jobs")


async def test_what_is_typed_is_compared_then_published(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket, (120, 40)) as operator:
        await opened(operator)
        await to_three(operator)
        await operator.press("ctrl+s")
        await operator.reads("- 0 2 * * *", "+ 0 3 * * *", "Next fires", "Publish it")
        assert now(agent, job)["revision"] == 1
        await operator.press("enter")
        await operator.reads("revision 2 is published")
        await left(operator)
    after = now(agent, job)
    assert (after["interval"], after["revision"]) == ("0 3 * * *", 2)
    same = ("name", "slug", "tags", "description", "data", "policies", "timezone", "enabled")
    assert {name: after[name] for name in same} == {name: job[name] for name in same}
    assert drafts(agent) == []


async def test_leaving_keeps_what_was_typed(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket) as operator:
        await opened(operator)
        await retyped(operator, f"{job['name']} renamed")
        await operator.press("escape")
        await operator.reads("kept as your draft")
        await left(operator)
        assert now(agent, job)["name"] == job["name"]
        await operator.press("e")
        await operator.reads("as you left it", "renamed")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("ctrl+s")
        await operator.reads("Publish it")
        await operator.press("down", "down", "enter")
        await operator.reads("discard the draft?")
        await operator.press("y")
        await left(operator)
    assert (now(agent, job)["name"], drafts(agent)) == (job["name"], [])


async def test_looking_leaves_no_draft(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket) as operator:
        await opened(operator)
        await operator.reads(job["name"])
        await operator.press("escape")
        await left(operator)
        await operator.until(lambda: drafts(agent) == [], "no draft")
    assert now(agent, job)["revision"] == 1


async def test_a_fault_is_shown_where_it_was_typed(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket) as operator:
        await opened(operator)
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("enter")
        await retyped(operator, "61 3 * * *")
        await operator.press("ctrl+s")
        await operator.reads("└")
        assert not operator.app.screen.query("ReviewStep")
        await operator.press("escape", "escape")
        await operator.reads("kept as your draft")
        await left(operator)
    assert [draft["interval"] for draft in drafts(agent)] == ["61 3 * * *"]
    agent.call("DELETE", f"/api/jobs/{job['id']}/draft")


async def test_what_was_published_meanwhile_is_taken_in(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket, (120, 40)) as operator:
        await opened(operator)
        await to_three(operator)
        await operator.press("ctrl+s")
        await operator.reads("Publish it")
        agent.call("PUT", f"/api/jobs/{job['id']}", job | {"tags": ["theirs"]})
        await operator.press("enter")
        await operator.reads("published meanwhile, with another tags")
        assert now(agent, job)["interval"] == "0 2 * * *"
        await operator.press("y")
        await operator.until(lambda: drafts(agent)[0]["basedOn"] == 2, "the draft is of revision 2")
        await operator.reads_no("publishing")
        await operator.reads("Publish it")
        await operator.press("enter")
        await operator.reads("revision 3 is published")
        await left(operator)
    after = now(agent, job)
    assert (after["tags"], after["interval"]) == (["theirs"], "0 3 * * *")


async def test_a_program_stays_what_it_is(agent: AgentProcess, job: dict[str, Any]) -> None:
    async with operating(agent.socket, (120, 40)) as operator:
        await opened(operator)
        await operator.reads('["sh", "-c", "echo a, b"]')
        await operator.press("enter")
        await retyped(operator, '["sh", "-c", "echo c"]')
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("ctrl+s")
        await operator.reads('- ["sh", "-c", "echo a, b"]', "It fires as before")
        await operator.press("enter")
        await operator.reads("revision 2 is published")
        await left(operator)
    assert now(agent, job)["data"]["command"] == ["sh", "-c", "echo c"]


async def test_actions_are_changed_and_what_was_only_tried_is_not_kept(
    agent: AgentProcess, job: dict[str, Any]
) -> None:
    action = {
        "id": "tell",
        "name": "Tell",
        "type": "webhook",
        "data": {"url": "https://x.example.org", "timeout": "20 s"},
    }
    job = agent.call("PUT", f"/api/jobs/{job['id']}", {**job, "actions": [action]})
    async with operating(agent.socket, (120, 40)) as operator:
        await opened(operator)
        for seen in ("When *", "Discard the draft"):
            await operator.press("ctrl+s")
            await operator.reads(seen)
        await operator.press("down", "down", "enter")
        await operator.reads("1. Tell", "webhook, always", "https://x.example.org")
        await operator.press("enter")
        await operator.reads("Url *", "20 s")
        await retyped(operator, "https://y.example.org")
        await operator.press("ctrl+r")
        await operator.reads("nothing was done", "https://y.example.org")
        await operator.press("escape", "escape")
        await operator.reads("throw away what was typed of this action?")
        await operator.press("y")
        await operator.reads("1. Tell", "https://x.example.org")
        await operator.press("escape")
        await operator.reads("nothing differs from the job")
        await operator.press("down", "down", "enter")
        await operator.reads("1. Tell")
        await operator.press("enter")
        await operator.reads("Url *")
        await operator.press("tab", "tab", "tab")
        await operator.type("any_failed()")
        await operator.press("ctrl+s")
        await operator.reads("if any_failed()")
        await operator.press("escape")
        await operator.reads("any_failed()", "Publish it")
        await operator.press("enter")
        await operator.reads("is published")
        await left(operator)
    assert now(agent, job)["actions"] == [{**job["actions"][0], "condition": "any_failed()"}]
    assert drafts(agent) == []


async def test_the_whole_job_its_revisions_and_the_way_back(agent: AgentProcess, job: dict[str, Any]) -> None:
    again = agent.call("GET", f"/api/jobs/{job['id']}")
    definition = {key: job[key] for key in ("name", "type", "intervalType", "timezone", "data", "policies", "tags")}
    agent.call("PUT", f"/api/jobs/{again['id']}", {**definition, "interval": "0 3 * * *"})
    async with operating(agent.socket, (80, 40)) as operator:
        await operator.reads("live")
        await operator.press("2")
        await operator.reads("edit")
        await operator.press("d")
        await operator.reads("command    sh, -c, echo a, b", "Policies", "priority   7", "Next fires", "enter runs")
        await operator.press("v")
        await operator.reads(f"Revisions of {job['name']}", "from 1 to 2", "- 0 2 * * *", "+ 0 3 * * *")
        await operator.press("j")
        await operator.reads("the first one: nothing was before it", "restore 1")
        await operator.press("d")
        await operator.reads("from 1 to 2")
        await operator.press("r")
        await operator.reads("make revision 1 of", "y restore it")
        await operator.press("y")
        await operator.reads("revision 3 says what 1 said", "restored from 1, now")
    assert (now(agent, job)["interval"], now(agent, job)["revision"]) == ("0 2 * * *", 3)
