"""`jobdeck apply` and `jobdeck export` against an agent: the plan, what it does, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.shell import Shell

NIGHTLY = """\
name = "Nightly"
type = "command"
intervalType = "cron"
interval = "0 2 * * *"
[data]
command = ["true"]
"""

TWO = """\
[[jobs]]
name = "One"
type = "command"
[jobs.data]
command = ["true"]

[[jobs]]
name = "Two"
type = "command"
[jobs.data]
command = ["true"]
"""


@pytest.fixture
def nightly(shell: Shell, tmp_path: Path) -> Iterator[Path]:
    """A definition that is applied."""
    path = tmp_path / "nightly.toml"
    path.write_text(NIGHTLY)
    shell("apply", "-f", str(path))
    yield path
    shell("job", "delete", "nightly", "--yes")


def test_a_plan_stores_nothing(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "nightly.toml"
    path.write_text(NIGHTLY)
    plan = shell("apply", "-f", str(path), "--dry-run")
    assert "+ nightly is created" in plan
    assert 'interval: "0 2 * * *"' in plan
    assert "nightly" in shell("job", "show", "nightly", code=3)


def test_applied_twice_is_applied_once(shell: Shell, nightly: Path) -> None:
    assert shell("apply", "-f", str(nightly)) == "= nightly unchanged\n"
    assert shell.json("job", "show", "nightly")["revision"] == 1


def test_what_changed_is_shown_and_published(shell: Shell, nightly: Path) -> None:
    nightly.write_text(NIGHTLY.replace("0 2", "30 3").replace('type = "command"', 'type = "command"\ntags = ["ops"]'))
    wanted = '    interval: "0 2 * * *" -> "30 3 * * *"'
    assert wanted in shell("apply", "-f", str(nightly), "--dry-run")
    assert shell.json("job", "show", "nightly")["revision"] == 1
    changed = shell("apply", "-f", str(nightly))
    assert "~ nightly published as revision 2" in changed
    assert wanted in changed
    job = shell.json("job", "show", "nightly")
    assert (job["interval"], job["tags"], job["revision"]) == ("30 3 * * *", ["ops"], 2)


def test_a_mistake_changes_nothing_and_is_named_by_line(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(NIGHTLY.replace("Nightly", "Good"))
    bad = tmp_path / "bad.toml"
    bad.write_text(TWO.replace('name = "Two"', 'name = "Two"\nintervalType = "cron"\ninterval = "61 * * * *"'))
    said = shell("apply", "-f", str(tmp_path), code=2)
    assert f"{bad}:10: jobs.1.interval" in said
    for slug in ("good", "one", "two"):
        shell("job", "show", slug, code=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "neither TOML nor JSON"),
        (NIGHTLY + 'colour = "red"\n', "data.colour"),
        (NIGHTLY.replace("[data]", 'colour = "red"\n[data]'), ":5: colour: is not a field of a definition"),
        (NIGHTLY.replace('"command"', '"comand"'), ":2: type: there is no job type 'comand'"),
        (TWO.replace('"Two"', '"One"'), "stands twice"),
        ("[[jobs]]\n[other]\n", "a file is one definition"),
        ('{"jobs": {"name": "x"}}', "must be a list"),
        (NIGHTLY.replace('"true"', '"tr\\u0000ue"'), "NUL"),
    ],
)
def test_refusals(shell: Shell, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    assert said in shell("apply", "-f", str(tmp_path / "a.toml"), code=2)


def test_every_file_that_is_no_definition_is_named(shell: Shell, tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text("name = ")
    told = shell("apply", "-f", str(tmp_path), code=2).splitlines()
    assert [line.partition(": is neither")[0] for line in told] == [f"jobdeck: {tmp_path}/{name}.toml" for name in "ab"]


def test_a_name_that_is_taken_is_told_before_anything_is_done(shell: Shell, nightly: Path, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'slug = "other"\n{NIGHTLY}')
    (tmp_path / "first.toml").write_text(NIGHTLY.replace("Nightly", "First"))
    said = shell("apply", "-f", str(tmp_path / "first.toml"), "-f", str(tmp_path / "other.toml"), code=2)
    assert "other.toml:2: name: the job 'nightly' has this name already" in said
    shell("job", "show", "first", code=3)


def test_what_is_exported_is_what_would_be_applied(shell: Shell, nightly: Path, tmp_path: Path) -> None:
    shell("apply", "-f", "-", given=TWO)
    folder = tmp_path / "out"
    shell("export", "-o", str(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["nightly.toml", "one.toml", "two.toml"]
    plan = shell.json("apply", "-f", str(folder), "--dry-run")
    assert [change["act"] for change in plan["items"]] == ["unchanged"] * 3
    one_file = tmp_path / "all.toml"
    shell("export", "-o", str(one_file))
    assert shell.json("apply", "-f", str(one_file), "--dry-run")["items"][2]["act"] == "unchanged"
    text = shell("export", "one")
    shell("job", "delete", "one", "--yes")
    assert "created" in shell("apply", "-f", "-", given=text)
    for slug in ("one", "two"):
        shell("job", "delete", slug, "--yes")


def test_nulls_survive_in_parameters(shell: Shell, tmp_path: Path) -> None:
    """TOML has no null; a definition that needs one is written as JSON."""
    definition = {"name": "Call", "type": "api-call", "data": {"url": "https://example.org", "json": {"a": None}}}
    shell("apply", "-f", "-", given=json.dumps(definition))
    shell("export", "call", "-o", str(tmp_path / "out"))
    assert (tmp_path / "out" / "call.json").exists()
    assert shell("apply", "-f", str(tmp_path / "out")) == "= call unchanged\n"
    shell("job", "delete", "call", "--yes")
