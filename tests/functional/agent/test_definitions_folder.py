"""The definitions folder, looked at: what is refused is told, and tried again when it may be otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.definitions.defining import Defining
from agent.resources.definitions import DefinitionsFolder
from shared.models import AccountLimits
from tests.functional.agent.stage import Stage

JOB = '[[jobs]]\nname = "{name}"\ntype = "command"\nenabled = {enabled}\n[jobs.data]\ncommand = {command}\n'
ON, OFF = (
    JOB.format(name="One", enabled="true", command='"true"'),
    JOB.format(name="One", enabled="false", command='"true"'),
)
TWO = JOB.format(name="Two", enabled="true", command='"true"')
WRONG = JOB.format(name="Wrong", enabled="false", command="7")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "definitions"
    folder.mkdir(mode=0o700)
    return folder


async def test_a_file_that_needs_another_ones_change_waits_for_it(stage: Stage, folder: Path) -> None:
    """There is room for Two only where One is off; the file that says so has a mistake at first."""
    core = stage.core
    defining = Defining(core.store, core.jobs, core.applying, stage.clock, DefinitionsFolder(folder), "default")
    await core.store.put_account_limits("default", AccountLimits(active_jobs=1), stage.clock.now())
    (folder / "a.toml").write_text(ON)
    await defining.look()
    (folder / "a.toml").write_text(OFF + WRONG)
    (folder / "b.toml").write_text(TWO)
    report = await defining.look()
    assert [(file.path, bool(file.faults)) for file in report.files] == [("a.toml", True), ("b.toml", True)]
    assert "may have 1" in report.files[1].faults[0].message
    assert await names(stage) == {"One": True}
    (folder / "a.toml").write_text(OFF)
    report = await defining.look()
    assert not any(file.faults for file in report.files)
    assert await names(stage) == {"One": False, "Two": True}


async def test_of_two_files_that_define_one_job_neither_counts(stage: Stage, folder: Path) -> None:
    """Whichever came first; and the one that remains is followed again."""
    core = stage.core
    defining = Defining(core.store, core.jobs, core.applying, stage.clock, DefinitionsFolder(folder), "default")
    (folder / "a.toml").write_text(ON)
    await defining.look()
    (folder / "b.toml").write_text('[[jobs]]\nslug = "one"\nname = "Other"\ntype = "command"\ndata.command = "false"\n')
    report = await defining.look()
    assert [(file.path, "twice" in str(file.faults)) for file in report.files] == [("a.toml", True), ("b.toml", True)]
    assert await names(stage) == {"One": True}
    (folder / "a.toml").unlink()
    report = await defining.look()
    assert not any(file.faults for file in report.files)
    assert await names(stage) == {"Other": True}
    (folder / "a.toml").write_text(ON)
    await defining.look()
    (folder / "b.toml").unlink()
    report = await defining.look()
    assert [(file.path, file.jobs, file.faults) for file in report.files] == [("a.toml", ["one"], [])]
    assert await names(stage) == {"One": True}


async def test_what_is_wrong_with_a_text_is_named_beside_its_file_once(stage: Stage, folder: Path) -> None:
    core = stage.core
    defining = Defining(core.store, core.jobs, core.applying, stage.clock, DefinitionsFolder(folder), "default")
    (folder / "a.toml").write_text("name =")
    (folder / "b.toml").write_text('jobs = "one"')
    report = await defining.look()
    assert [file.faults[0].field for file in report.files] == ["file", "jobs"]


async def names(stage: Stage) -> dict[str, bool]:
    jobs, _ = await stage.core.jobs.list(stage.me)
    return {job.name: job.enabled for job in jobs}
