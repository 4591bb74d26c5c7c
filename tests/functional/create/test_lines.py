"""Long texts, in as many lines as they have."""

from __future__ import annotations

from textual import events

from console.screens.create.fields import Field
from console.screens.create.lines import closed, opened
from tests.functional.create.test_actions import at_review
from tests.functional.create.test_create import job_named
from tests.harness.agent_process import AgentProcess
from tests.harness.operator import operating


def test_there_and_back_again() -> None:
    text, data = Field("data.text", "Text", kind="lines"), Field("data.json", "Json", kind="any")
    assert opened(text, r"Dear ops,\n\nC:\\new is full") == "Dear ops,\n\nC:\\new is full"
    assert closed(text, "Dear ops,\n\nC:\\new is full\n") == r"Dear ops,\n\nC:\\new is full"
    assert opened(data, '{"a": [1, 2]}') == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert closed(data, opened(data, '{"a": [1, "ü"]}')) == '{"a": [1, "ü"]}'
    assert closed(data, '{"a":\n  1,}') == '{"a": 1,}', "what is wrong with it the form says"
    assert opened(data, "echo hello") == "echo hello"


async def test_a_mail_is_written_in_lines_and_pasted_lines_stay(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await at_review(operator, "Long mail")
        await operator.press("c")
        await operator.reads("type to find")
        await operator.type("email")
        await operator.press("enter")
        await operator.reads("Subject *")
        await operator.type("Night report")
        await operator.press("enter")
        await operator.type("ops@example.org")
        await operator.press("enter")
        await operator.reads("^o opens it in several lines")
        operator.app.post_message(events.Paste("Dear ops,\r\n\r\nall is well."))
        await operator.reads(r"Dear ops,\n\nall is well.")
        await operator.press("ctrl+o")
        await operator.reads("^s keep it")
        await operator.press("enter")
        await operator.type("Good night.")
        await operator.press("escape")
        await operator.reads("esc again throws away what was changed here")
        await operator.press("ctrl+s")
        await operator.reads(r"all is well.\nGood night.")
        await operator.press("pagedown", *["down"] * 12)
        operator.app.screen.form.focus_field("data.server")  # type: ignore[attr-defined]
        await operator.type('{"host": "smtp.example.org", "from": "jobs@example.org"}')
        await operator.press("ctrl+s")
        await operator.reads("1. email")
        await operator.press("escape")
        await operator.reads("1 action")
        await operator.press("up", "up", "up", "enter")
        await operator.reads("Last 20 runs")
    (email,) = job_named(agent, "Long mail")["actions"]
    assert email["data"]["text"] == "Dear ops,\n\nall is well.\nGood night."
