"""What follows a job's own work, made by an operator against a real agent."""

from __future__ import annotations

from console.screens.create.screen import CreateScreen
from tests.functional.create.test_create import job_named, open_wizard
from tests.harness.agent_process import AgentProcess
from tests.harness.operator import Operator, operating


async def at_review(operator: Operator, name: str) -> None:
    await open_wizard(operator, "command")
    await operator.type(name)
    await operator.press("enter")
    await operator.type("true")
    await operator.press("ctrl+s")
    await operator.reads("When *")
    await operator.press("ctrl+s")
    await operator.reads("Create it and run it now", "0 actions")
    await operator.press("down", "down", "enter")
    await operator.reads("nothing follows the job's own work yet")


async def add_webhook(operator: Operator, url: str) -> None:
    await operator.press("c")
    await operator.reads("type to find", "webhook")
    await operator.type("web")
    await operator.press("enter")
    await operator.reads("Url *", "Only if")
    await operator.type(url)
    await operator.press("enter")


async def test_actions_are_added_tried_moved_and_published(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await at_review(operator, "With actions")
        await add_webhook(operator, "https://chat.example.org/hook")
        await operator.type('{"text": "{{ job.name }} is through"}')
        await operator.press("ctrl+r")
        await operator.reads("nothing was done", "With actions is through", "the job has not run yet")
        await operator.press("escape")
        await operator.press("ctrl+s")
        await operator.reads("1. webhook", "always")
        await operator.press("c")
        await operator.type("email")
        await operator.press("enter")
        await operator.reads("Subject *", "Attach")
        await operator.type("{{ job.name }}: nobody was told")
        await operator.press("enter")
        await operator.type("ops@example.org")
        await operator.press("enter")
        await operator.type(r"It failed.\nLook at {{ run.id }}.")
        await operator.press("enter")
        await operator.reads('failed("webhook")', "any_failed()")
        await operator.type("any_failed()")
        await operator.press("tab", "tab")
        await operator.reads("[ ] log")
        await operator.press("down", "space", "ctrl+s")
        await operator.reads("names no mail server, and the agent's settings have", "none (`smtp`)")
        await operator.type('{"host": "smtp.example.org", "from": "jobs@example.org"}')
        await operator.press("ctrl+s")
        await operator.reads("2. email", "if any_failed()", "log.txt")
        await operator.press("escape")
        await operator.reads("2 actions", "2. email")
        await operator.press("enter")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "the list of jobs")
        await operator.reads("Last 20 runs", "With actions")
    webhook, email = job_named(agent, "With actions")["actions"]
    assert (webhook["id"], webhook["type"]) == ("webhook", "webhook")
    assert (webhook["type"], webhook["data"]["json"]) == ("webhook", {"text": "{{ job.name }} is through"})
    assert (email["condition"], email["data"]["to"]) == ("any_failed()", ["ops@example.org"])
    assert email["data"]["text"] == "It failed.\nLook at {{ run.id }}."
    assert [(each["type"], each["name"]) for each in email["attachments"]] == [("log", "log.txt")]
    assert agent.call("GET", "/api/drafts")["items"] == [], "trying leaves nothing behind"


async def test_what_is_wrong_with_an_action_is_told_at_its_field(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await at_review(operator, "Faulty actions")
        await add_webhook(operator, "gopher://x")
        await operator.press("ctrl+s")
        await operator.reads("└ ", "http")
        await operator.press("end", *["backspace"] * 20)
        await operator.type("https://x.example.org")
        await operator.press("tab", "tab", "tab")
        await operator.type('ok("nobody")')
        await operator.press("ctrl+s")
        await operator.reads("└ 'nobody' is no step before it")
        await operator.press("escape")
        await operator.reads("throw away what was typed of this action?")
        await operator.press("y")
        await operator.reads("nothing follows the job's own work yet")


async def test_an_action_that_another_speaks_of_is_missed(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await at_review(operator, "Missing actions")
        await add_webhook(operator, "https://x.example.org")
        await operator.press("ctrl+s")
        await operator.reads("1. webhook")
        await add_webhook(operator, "https://y.example.org")
        await operator.press("tab", "tab")
        await operator.type('ok("webhook")')
        await operator.press("ctrl+s")
        await operator.reads('if ok("webhook")')
        await operator.press("k", "x")
        await operator.reads("1. condition: 'webhook' is no step before it")
