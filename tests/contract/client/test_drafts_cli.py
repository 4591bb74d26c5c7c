"""`jobdeck job revisions|diff|restore` and `jobdeck draft …`, the way an operator goes through them."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path

import pytest

from tests.harness.shell import Shell

_numbers = count(1)


@pytest.fixture
def job(shell: Shell) -> str:
    """The slug of one that fires at two each night."""
    name = f"Nightly {next(_numbers)}"
    shell("job", "create", "--name", name, "--type", "command", "--cron", "0 2 * * *", "--set", 'command=["true"]')
    return name.lower().replace(" ", "-")


@pytest.fixture
def editor(tmp_path: Path) -> str:
    """Moves the fires to three, and describes it."""
    path = tmp_path / "editor"
    path.write_text('#!/bin/sh\nsed -i \'s/^interval = .*/interval = "0 3 * * *"\\ndescription = "later"/\' "$1"\n')
    path.chmod(0o755)
    return str(path)


def test_an_edit_is_kept_looked_at_and_published(shell: Shell, job: str, editor: str) -> None:
    draft = shell("draft", "edit", job, EDITOR=editor, VISUAL="").strip()
    assert shell.json("job", "show", job)["revision"] == 1
    assert [each["id"] for each in shell.json("draft", "list") if each["slug"] == job] == [draft]
    told = shell("draft", "diff", job)
    assert 'interval: "0 2 * * *" -> "0 3 * * *"' in told
    signs = [line[2] for line in told.partition("next fires:\n")[2].splitlines()]
    assert {"-", "+"} == set(signs)
    assert shell("draft", "commit", job).startswith(f"published revision 2 of {job}")
    assert shell.json("job", "show", job)["description"] == "later"
    assert "no draft" in shell("draft", "show", job, code=3)


def test_what_is_not_changed_is_not_stored(shell: Shell, job: str) -> None:
    shell("draft", "edit", job, EDITOR="true", VISUAL="")
    assert shell.json("draft", "show", job)["version"] == 1
    assert shell("draft", "diff", job) == ""
    assert shell("draft", "discard", job, "--yes") == "discarded\n"


def test_a_new_job_begins_with_a_form(shell: Shell, tmp_path: Path) -> None:
    draft = shell("draft", "create", "--type", "kb-sync").strip()
    assert shell.json("draft", "show", draft)["data"]["source_table"] == "orders_db.orders"
    refused = shell("draft", "commit", draft, code=2)
    assert "name: is required" in refused
    assert "data.source_table" in refused
    given = tmp_path / "job.toml"
    given.write_text('name = "From a form"\ntype = "command"\n[data]\ncommand = ["true"]\n')
    assert shell("draft", "edit", draft, "--file", str(given)).strip() == draft
    assert shell("draft", "commit", draft).startswith("published revision 1 of from-a-form")
    told = shell("draft", "create", "--type", "no-such", code=2)
    assert "kb-sync" in told


def test_what_changed_meanwhile_is_named_and_taken_in(shell: Shell, job: str, editor: str, tmp_path: Path) -> None:
    shell("draft", "edit", job, EDITOR=editor, VISUAL="")
    theirs = shell.json("job", "show", job) | {"tags": ["theirs"]}
    definition = {name: theirs[name] for name in ("name", "type", "intervalType", "interval", "data", "tags")}
    other = tmp_path / "theirs.json"
    other.write_text(json.dumps(definition))
    shell("job", "edit", job, "--file", str(other))
    assert "What differs: tags" in shell("draft", "commit", job, code=6)
    assert shell("draft", "rebase", job) == "the draft is an edit of revision 2 now\n"
    shell("draft", "commit", job)
    after = shell.json("job", "show", job)
    assert (after["tags"], after["interval"], after["revision"]) == (["theirs"], "0 3 * * *", 3)


def test_the_way_back(shell: Shell, job: str, tmp_path: Path) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(f'name = "Other {job}"\ntype = "command"\n[data]\ncommand = ["false"]\n')
    shell("job", "edit", job, "--file", str(changed))
    assert 'data.command: ["true"] -> ["false"]' in shell("job", "diff", job)
    assert "--yes" in shell("job", "restore", job, "1", code=2)
    told = shell("job", "restore", job, "1", "--yes")
    assert told.startswith(f"published revision 3 of {job}, as revision 1 was")
    assert shell("job", "diff", job, "1", "3") == ""
    assert shell.json("job", "diff", job, "1", "2")["fields"] != []
    table = shell("job", "revisions", job).splitlines()
    assert [line.split()[0] for line in table] == ["REVISION", "3", "2", "1"]
    assert table[1].rstrip().endswith("as revision 1 was")
    assert "already" in shell("job", "restore", job, "3", "--yes", code=6)
    assert "9" in shell("job", "restore", job, "9", "--yes", code=3)


def test_the_words_are_completed(shell: Shell) -> None:
    assert {"list", "edit", "diff", "rebase", "commit", "discard"} <= set(shell("__complete", "draft", "").split())
    assert {"revisions", "diff", "restore"} <= set(shell("__complete", "job", "").split())
    assert "--prefer" in shell("__complete", "draft", "rebase", "--").split()


def test_a_run_is_repeated_as_it_was(shell: Shell, job: str, tmp_path: Path) -> None:
    run = shell("job", "run", job, "--wait", "--json")
    first = json.loads(run.splitlines()[-1] if run.count("\n{") else run)
    changed = tmp_path / "changed.toml"
    changed.write_text(f'name = "{first["jobName"]}"\ntype = "command"\n[data]\ncommand = ["true", "now"]\n')
    shell("job", "edit", job, "--file", str(changed))
    [then] = shell.json("run", "rerun", first["id"], "--own-revision")
    assert then["run"]["revision"] == 1
