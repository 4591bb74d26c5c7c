"""The wizard as an operator uses it, against a real agent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.screens.create.screen import CreateScreen
from console.screens.run_detail import RunDetail
from tests.harness.agent_process import AgentProcess
from tests.harness.operator import Operator, operating
from tests.harness.pty_app import start_warm


async def open_wizard(operator: Operator, template: str) -> None:
    await operator.reads("live")
    await operator.press("c")
    await operator.reads("kb-sync", "command", "api-call")
    await operator.press(*{"kb-sync": ["enter"], "command": ["down", "enter"]}[template])
    await operator.reads("Name *")


def job_named(agent: AgentProcess, name: str) -> dict[str, Any]:
    jobs = agent.call("GET", "/api/jobs?limit=200")["_embedded"]["inf:job"]
    found: dict[str, Any] = next(job for job in jobs if job["name"] == name)
    return found


async def fill_sync(operator: Operator, name: str, base: str) -> None:
    """By picking: connection, table, two columns, filter column; by typing: the rest."""
    await operator.type(name)
    await operator.press("enter")
    await operator.reads("sqlite:")
    await operator.press("enter")
    await operator.reads("customers")
    await operator.type("ord")
    await operator.press("enter")
    await operator.reads("[ ] product")
    await operator.press("down", "space", "down", "space", "enter")
    await operator.reads("updated_at   TIMESTAMP")
    await operator.press("enter")
    await operator.reads("Name of the knowledge base")
    await operator.type(base)


async def test_a_sync_is_made_by_picking_and_found_in_the_list(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "kb-sync")
        await fill_sync(operator, "Orders sync", "orders_kb")
        await operator.press("ctrl+s")
        await operator.reads("no knowledge base 'orders_kb'")
        await operator.press("y")
        await operator.reads("When *", "runs by hand")
        await operator.type("cron")
        await operator.press("enter")
        await operator.type("*/15 2 * * *")
        await operator.press("enter")
        await operator.type("Berlin")
        await operator.press("enter")
        await operator.reads("at 02:00, 02:15, 02:30 and 02:45 (Europe/Berlin)", "CE", "does not exist in")
        await operator.press("ctrl+s")
        await operator.reads("Create it and run it now", "product, description")
        await operator.type("\r\r")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "the list of jobs")
        await operator.reads("Orders sync")
    job = job_named(agent, "Orders sync")
    assert job["data"] == {
        "source_table": "shop.orders",
        "knowledge_base": "orders_kb",
        "content_columns": ["product", "description"],
        "filter_column": "updated_at",
    }
    assert (job["intervalType"], job["interval"], job["timezone"]) == ("cron", "*/15 2 * * *", "Europe/Berlin")


async def test_a_command_is_made_and_run_at_once(agent: AgentProcess) -> None:
    async with operating(agent.socket, (160, 48)) as operator:
        await open_wizard(operator, "command")
        await operator.type("Greeting")
        await operator.press("enter")
        await operator.type("echo hello $WHO")
        await operator.press("enter")
        await operator.type("/tmp")
        await operator.press("enter")
        await operator.type("WHO='big world'")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("ctrl+s")
        await operator.reads("Create it and run it now")
        await operator.press("down", "enter")
        await operator.until(lambda: isinstance(operator.app.screen, RunDetail), "the new run")
        await operator.reads("C  completed", "Greeting", "hello big world")
    job = job_named(agent, "Greeting")
    assert job["data"] == {"command": "echo hello $WHO", "cwd": "/tmp", "env": {"WHO": "big world"}}


def test_keys_that_come_in_one_go_reach_the_fields_they_are_meant_for(agent: AgentProcess, tmp_path: Path) -> None:
    """As over a slow line: the terminal hands over many keys at once."""
    env = {"JOBDECK_AGENT": str(agent.socket), "HOME": str(tmp_path)}
    with start_warm(env=env) as app:
        app.read_until(lambda: "live" in app.rows[0])
        app.send("c")
        app.read_until(lambda: "api-call" in app.text)
        app.send("\x1b[B\r")
        app.read_until(lambda: "Command *" in app.text)
        app.send("Quick typist\rsleep 1\r/tmp\rA=1 Q=x\r")
        app.read_until(lambda: "A=1 Q=x" in app.text)
        fields = [row.split(maxsplit=1)[1].strip() for row in app.rows if row.startswith((" Name", " Cwd", " Env"))]
        assert fields == ["*                Quick typist", "/tmp", "A=1 Q=x"]
        assert any(row.split() == ["Command", "*", "sleep", "1"] for row in app.rows)


async def test_what_is_wrong_is_told_at_its_field(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "command")
        await operator.press("ctrl+s")
        await operator.reads("└ is needed")
        await operator.type("Faulty")
        await operator.press("enter")
        await operator.type("true")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.type("cron")
        await operator.press("enter")
        await operator.type("*/15 2 * *")
        await operator.reads("└ '*/15 2 * *' has 4 fields", "no moment")
        await operator.press("ctrl+s")
        await operator.until(lambda: "checking" not in operator.text, "the answer")
        await operator.reads("└ '*/15 2 * *' has 4 fields", "When *")
        await operator.type(" *")
        await operator.reads_no("has 4 fields")
        await operator.reads("at 02:00, 02:15")


async def test_no_knowledge_base_is_made_for_a_job_that_cannot_be(agent: AgentProcess) -> None:
    """What else is wrong is told before it is offered; what cannot be its name is told at its field."""
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "kb-sync")
        await fill_sync(operator, "", "no base")
        await operator.press("ctrl+s")
        await operator.reads("└ is needed")
        await operator.reads_no("make it?")
        await operator.type("Nightly")
        await operator.press("ctrl+s")
        await operator.reads("no knowledge base 'no base'; make it?")
        await operator.press("y")
        await operator.reads("└ letters, digits, '_' and '-', at most 100")
    names = [base["name"] for base in agent.call("GET", "/api/knowledge-bases")["items"]]
    assert "no base" not in names


async def test_a_type_is_found_by_typing(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await operator.reads("live")
        await operator.press("c")
        await operator.reads("job types", "type to find", "more")
        await operator.type("export")
        await operator.reads("find: export", "1 of ")
        await operator.reads_no("kb-sync")
        await operator.type("zz")
        await operator.reads("none of that name")
        await operator.press("escape")
        await operator.reads("kb-sync", "type to find")
        await operator.type("xport")
        await operator.press("enter")
        await operator.reads("Name *", "Folder")


async def test_a_night_of_the_clocks_is_decided_and_foretold(agent: AgentProcess) -> None:
    async with operating(agent.socket, (120, 40)) as operator:
        await open_wizard(operator, "command")
        await operator.type("Clocks")
        await operator.press("enter")
        await operator.type("true")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        for text in ("cron", "30 2 * * *", "Europe/Berlin"):
            await operator.type(text)
            await operator.press("enter")
        await operator.reads("runs at the end of")
        await operator.press("tab", "tab", "tab")
        await operator.type("skip")
        await operator.reads_no("runs at the end of")
        await operator.press("ctrl+s")
        await operator.reads("Create it and run it now")
        await operator.press("enter")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "the list of jobs")
        await operator.reads("Last 20 runs", "Clocks")
    assert job_named(agent, "Clocks")["policies"]["dst"] == {"gap": "skip", "fold": None}


async def test_a_name_that_is_taken_is_told_at_the_name(agent: AgentProcess) -> None:
    agent.call("POST", "/api/jobs", {"name": "Taken", "type": "command", "data": {"command": "true"}})
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "command")
        await operator.type("Taken")
        await operator.press("enter")
        await operator.type("true")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("ctrl+s")
        await operator.reads("Create it and run it now")
        await operator.press("enter")
        await operator.reads("Name *", "└", "Taken")


async def test_esc_steps_back_and_keeps_what_was_typed(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "command")
        await operator.type("Kept")
        await operator.press("enter")
        await operator.type("true")
        await operator.press("ctrl+s")
        await operator.reads("When *")
        await operator.press("escape")
        await operator.reads("Name *", "Kept", "true")
        await operator.press("escape")
        await operator.reads("api-call")
        await operator.press("enter")
        await operator.reads("Name *", "Kept")


async def test_nothing_typed_is_lost_without_a_question(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await open_wizard(operator, "command")
        await operator.type("Dear work")
        await operator.press("escape")
        await operator.reads("api-call")
        for key in ("escape", "ctrl+q"):
            await operator.press(key)
            await operator.reads("throw away the job that is not created yet?")
            await operator.press("enter")
            await operator.reads_no("throw away")
            assert isinstance(operator.app.screen, CreateScreen)
        await operator.press("escape")
        await operator.reads("throw away")
        await operator.press("y")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "left")


async def test_an_untouched_wizard_is_left_at_once(agent: AgentProcess) -> None:
    async with operating(agent.socket) as operator:
        await operator.reads("live")
        await operator.press("c")
        await operator.reads("api-call")
        await operator.press("escape")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "left")


async def test_a_whole_job_typed_in_one_go(agent: AgentProcess) -> None:
    """On a slow line the steps are shown when all of it is long typed."""
    async with operating(agent.socket) as operator:
        await operator.reads("live")
        await operator.type("ccommand\rBlindly\recho quick\x13simple\r2 hours\x13")
        await operator.reads("Create it", "Blindly", "every 2 hours")
        await operator.type("\r")
        await operator.until(lambda: not isinstance(operator.app.screen, CreateScreen), "the list of jobs")
    assert job_named(agent, "Blindly")["data"] == {"command": "echo quick"}


async def test_all_that_is_wrong_inside_of_a_value_is_told_with_its_place(agent: AgentProcess) -> None:
    async with operating(agent.socket, size=(160, 40)) as operator:
        await open_wizard(operator, "command")
        await operator.type("Limited")
        await operator.press("enter")
        await operator.type("true")
        await operator.press(*["tab"] * 8, "ctrl+u")
        await operator.type('{"memory_mb": "much", "cpu_seconds": -1}')
        await operator.press("ctrl+s")
        await operator.reads("└ memory_mb: should be a valid integer", "; cpu_seconds: should be greater than")
