"""The definitions folder of an agent that runs: what is written there is, what is removed is disabled, and nobody else
changes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import AgentProcess, agent_process, until
from tests.harness.shell import Shell

NIGHTLY = """\
name = "Nightly"
type = "command"
intervalType = "cron"
interval = "0 2 * * *"
[data]
command = ["true"]
"""


class World:
    def __init__(self, folder: Path, shell: Shell, agent: AgentProcess) -> None:
        self.folder = folder
        self.shell = shell
        self.agent = agent

    def write(self, name: str, text: str) -> None:
        """As an editor does it: aside, then renamed."""
        aside = self.folder / f".{name}"
        aside.write_text(text)
        aside.chmod(0o644)
        aside.replace(self.folder / name)

    def jobs(self) -> dict[str, Any]:
        return {job["slug"]: job for job in self.shell.json("job", "list")}

    def report(self) -> dict[str, Any]:
        return {file["path"]: file for file in self.agent.call("GET", "/api/definitions")["files"]}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "definitions"
    folder.mkdir(mode=0o755)
    (folder / "nightly.toml").write_text(NIGHTLY)
    shell = Shell(tmp_path / "data")
    environment = shell.environment | {"JOBDECK_DEFINITIONS_DIR": str(folder)}
    with agent_process(tmp_path / "data", env=environment) as agent:
        until(lambda: shell.json("job", "list"), "what stands in the folder is applied")
        yield World(folder, shell, agent)


def test_the_folder_is_followed(world: World) -> None:
    assert world.jobs()["nightly"]["definedIn"] == "nightly.toml"
    world.write("nightly.toml", NIGHTLY.replace("0 2", "0 3"))
    until(lambda: world.jobs()["nightly"]["interval"] == "0 3 * * *", "the change is applied")
    assert world.jobs()["nightly"]["revision"] == 2
    (world.folder / "more").mkdir(mode=0o755)
    world.write("more.toml", "[[jobs]]\n" + NIGHTLY.replace("Nightly", "Second").replace("[data]", "[jobs.data]"))
    (world.folder / "more.toml").rename(world.folder / "more" / "second.toml")
    until(lambda: world.jobs().get("second", {}).get("definedIn") == "more/second.toml", "a folder below counts")
    record = world.shell.json("audit", "--subject", "Nightly")
    done = [(row["handle"], row["via"], row["act"], row["revision"]) for row in record]
    assert set(done) == {("definitions", "definitions", "follow_definitions", revision) for revision in (1, 2)}


def test_nobody_else_changes_it(world: World) -> None:
    for words in (("job", "delete", "nightly", "--yes"), ("apply", "-f", "-")):
        said = world.shell(*words, given=NIGHTLY.replace("0 2", "0 4"), code=6 if words[0] == "job" else 2)
        assert "nightly.toml" in said
    world.shell("job", "pause", "nightly")
    run = world.shell("job", "run", "nightly", "--wait", "--json")
    assert '"completed"' in run
    assert world.jobs()["nightly"]["revision"] == 1


def test_a_mistake_changes_nothing_and_is_reported_at_its_line(world: World) -> None:
    world.write("nightly.toml", NIGHTLY.replace("0 2 * * *", "0 25 * * *"))
    until(lambda: world.report()["nightly.toml"]["faults"], "the mistake is reported")
    fault = world.report()["nightly.toml"]["faults"][0]
    assert fault["field"] == "4: interval"
    assert "! nightly.toml:4: interval: " in world.shell("definitions", code=1)
    assert (world.jobs()["nightly"]["interval"], world.jobs()["nightly"]["enabled"]) == ("0 2 * * *", True)
    world.write("nightly.toml", NIGHTLY.replace("0 2 * * *", "0 5 * * *"))
    until(lambda: world.jobs()["nightly"]["interval"] == "0 5 * * *", "mended, it is applied")
    assert world.report()["nightly.toml"]["faults"] == []


def test_a_removed_file_disables_its_job_and_lets_it_go(world: World) -> None:
    (world.folder / "nightly.toml").unlink()
    until(lambda: world.jobs()["nightly"]["definedIn"] is None, "the job is let go")
    assert world.jobs()["nightly"]["enabled"] is False
    world.shell("job", "delete", "nightly", "--yes")


def test_what_others_can_write_is_not_applied(world: World, tmp_path: Path) -> None:
    world.write("open.toml", NIGHTLY.replace("Nightly", "Open"))
    until(lambda: "open" in world.jobs(), "it is applied")
    (world.folder / "open.toml").chmod(0o666)
    world.write("again.toml", NIGHTLY.replace("Nightly", "Again"))
    until(lambda: "again" in world.jobs(), "the folder was looked at again")
    assert "can be written by others (mode 0666)" in world.report()["open.toml"]["faults"][0]["message"]
    assert world.jobs()["open"]["enabled"] is True
    outside = tmp_path / "outside.toml"
    outside.write_text(NIGHTLY.replace("Nightly", "Outside"))
    (world.folder / "outside.toml").symlink_to(outside)
    until(lambda: "outside.toml" in world.report(), "the link is seen")
    assert "leads out of the folder" in world.report()["outside.toml"]["faults"][0]["message"]
    assert "outside" not in world.jobs()
    world.folder.chmod(0o777)
    (world.folder / "last.toml").write_text(NIGHTLY.replace("Nightly", "Last"))
    until(lambda: world.agent.call("GET", "/api/definitions")["fault"], "the folder as a whole is refused")
    assert "last" not in world.jobs()
