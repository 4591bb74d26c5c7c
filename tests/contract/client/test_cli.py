"""`jobdeck job`, `run`, `explain` as processes against an agent that runs as one too: what comes out, and with which code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.harness.agent_process import until
from tests.harness.commands import commands_in
from tests.harness.shell import Shell


def test_a_job_from_flags_to_deletion(shell: Shell) -> None:
    text = shell("job", "create", "--name", "Nightly", "--type", "command", "--cron", "0 2 * * *", "--timezone", "Europe/Berlin",
                 "--set", 'command=["true"]', "--policy", "retry.attempts=1", "--tag", "ops")  # fmt: skip
    assert text.startswith("created nightly: at 02:00 (Europe/Berlin), next in ")
    job = shell.json("job", "show", "nightly")
    assert (job["policies"]["retry"]["attempts"], job["tags"], job["data"]["command"]) == (1, ["ops"], ["true"])
    assert "nightly" in shell("job", "list", "--filter", "tag:ops")
    assert shell("job", "pause", "nightly") == "paused nightly\n"
    assert next(each for each in shell.json("job", "list") if each["slug"] == "nightly")["pausedAt"]
    assert shell("job", "resume", "nightly").startswith("resumed nightly")
    assert "02:00" in shell("explain", "nightly")
    assert "--yes" in shell("job", "delete", "nightly", code=2)
    assert shell("job", "delete", "nightly", "--yes") == "deleted nightly\n"
    assert "nightly" in shell("job", "show", "nightly", code=3)


def test_what_is_refused_is_named(shell: Shell) -> None:
    assert "'everything'" in shell("token", "create", "x", "--scope", "everything", code=2)
    assert "name" in shell("kb", "create", "no such name", code=2)
    assert "missing" in shell("kb", "search", "missing", "words", code=3)


def test_a_schedule_that_is_over_is_told(shell: Shell) -> None:
    words = ("job", "create", "--name", "Once upon", "--type", "command", "--set", "command=x", "--at", "2020-01-01")
    assert "never: no moment of it lies ahead" in shell(*words, "--dry-run")
    assert "never: no moment of it lies ahead" in shell(*words)


def test_a_resumed_job_fires_again(shell: Shell) -> None:
    shell("job", "create", "--name", "Resumed", "--type", "command", "--cron", "0 2 * * *", "--set", 'command=["true"]')
    shell("job", "pause", "resumed")
    assert shell("job", "resume", "resumed").startswith("resumed resumed, next in ")


def test_definitions_come_from_files_and_pipes(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text('name = "From TOML"\ntype = "command"\n[data]\ncommand = ["true"]\n')
    assert shell("job", "create", "--file", str(path), "--slug", "toml").startswith("created toml")
    text = '{"name": "From JSON", "type": "command", "data": {"command": ["true"]}}'
    assert shell("job", "create", "-F", "-", given=text).startswith("created from-json")
    assert "nope: is not a field" in shell(
        "job", "create", "-F", "-", given='{"name": "x", "type": "command", "nope": 1}', code=2
    )
    assert "neither TOML nor JSON" in shell("job", "create", "-F", "-", given="name =", code=2)
    assert "cannot be read" in shell("job", "create", "-F", str(tmp_path / "none"), code=2)
    assert "give one of them" in shell("job", "create", "--cron", "* * * * *", "--every", "1 hour", code=2)
    assert "write key=value" in shell("job", "create", "--set", "x", code=2)
    dry = shell(
        "job",
        "create",
        "--name",
        "Dry",
        "--type",
        "command",
        "--set",
        'command=["true"]',
        "--every",
        "1 hour",
        "--dry-run",
    )
    assert dry.startswith(("every hour\n  ", "every 1 hour\n  "))
    assert "dry" in shell("job", "show", "dry", code=3)


def test_editing_publishes_what_the_editor_saved(shell: Shell, tmp_path: Path) -> None:
    shell("job", "create", "--name", "Edited", "--type", "command", "--set", 'command=["sh","-c","echo a\\necho b"]')
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/^enabled = true/enabled = false\\ndescription = "by hand"/\' "$1"\n')
    editor.chmod(0o755)
    assert shell("job", "edit", "edited", EDITOR=str(editor), VISUAL="").startswith("published revision 2")
    job = shell.json("job", "show", "edited")
    assert (job["enabled"], job["description"], job["data"]["command"][2]) == (False, "by hand", "echo a\necho b")
    shell("job", "edit", "edited", EDITOR="true", VISUAL="")
    assert shell.json("job", "show", "edited")["revision"] == 2
    shell("job", "edit", "edited", EDITOR="false", VISUAL="", code=1)
    assert "cannot be started" in shell("job", "edit", "edited", EDITOR="/no/such/editor", VISUAL="", code=2)


def test_what_is_refused_after_editing_is_not_lost(shell: Shell, tmp_path: Path) -> None:
    shell("job", "create", "--name", "Spoilt", "--type", "command", "--set", 'command=["true"]')
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/^enabled = true/enabled = "perhaps"/\' "$1"\n')
    editor.chmod(0o755)
    told = shell("job", "edit", "spoilt", EDITOR=str(editor), VISUAL="", code=2, TMPDIR=str(tmp_path))
    kept = Path(next(line for line in told.splitlines() if "your text is kept in" in line).split()[-1])
    assert 'enabled = "perhaps"' in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_lines_of_a_log_are_found(shell: Shell) -> None:
    line = "seq -f 'row %g' 12000; echo Odd one; exit 3"
    shell("job", "create", "--name", "Chatty", "--type", "command", "--set", f'command={json.dumps(["sh", "-c", line])}',
          "--policy", "retry.attempts=1")  # fmt: skip
    shell("job", "run", "chatty", "--wait", code=1)
    assert shell("run", "logs", "chatty", "--grep", "ROW 1199").splitlines() == [
        "row 1199", *(f"row {number}" for number in range(11990, 12000))
    ]  # fmt: skip
    assert len(shell("run", "logs", "chatty", "--grep", "row").splitlines()) == 12_000
    assert shell("run", "logs", "chatty", "--grep", "row", "--tail", "2").splitlines() == ["row 11999", "row 12000"]
    assert shell("run", "logs", "chatty", "--grep", "odd", "--match-case") == ""
    errors = [json.loads(each) for each in shell("run", "logs", "chatty", "--errors", "--json").splitlines()]
    assert {each["level"] for each in errors} == {"error"}
    assert "exit status 3" in errors[-1]["text"]
    assert shell("run", "logs", "chatty", "--errors", "--grep", "row") == ""
    for words, told in (
        (("--grep", ""), "--grep"),
        (("--errors", "--follow"), "--follow"),
        (("--match-case",), "--match-case"),
    ):
        assert told in shell("run", "logs", "chatty", *words, code=2)


def test_the_exit_code_tells_the_outcome(shell: Shell) -> None:
    shell("job", "create", "--name", "Good", "--type", "command", "--set", 'command=["sh","-c","echo one; echo two"]')
    shell("job", "create", "--name", "Bad", "--type", "command", "--set", 'command=["sh","-c","echo oh no >&2; exit 3"]',
          "--policy", "retry.attempts=1")  # fmt: skip
    assert "completed" in shell("job", "run", "good", "--wait")
    assert "exit status 3" in shell("job", "run", "bad", "--wait", code=1)
    lines = shell("job", "run", "good", "--wait", "--logs").splitlines()
    assert (lines[:2], "completed" in lines[2]) == (["one", "two"], True)
    states = [json.loads(line)["state"] for line in shell("run", "watch", "bad", "--json", code=1).splitlines()]
    assert states == ["failed"]
    assert shell("run", "logs", "good", "--tail", "1") == "two\n"
    assert shell("run", "logs", "good", "--follow").splitlines() == ["one", "two"]
    assert [json.loads(line)["number"] for line in shell("run", "logs", "good", "--json").splitlines()] == [1, 2]
    failed = shell.json("run", "list", "--filter", "state:failed", "--job", "bad")
    assert [run["jobName"] for run in failed] == ["Bad"]
    assert "exit_status" in shell("run", "show", failed[0]["id"])
    again = shell("run", "rerun", failed[0]["id"]).strip()
    assert shell.json("run", "show", again)["originalRunId"] == failed[0]["id"]


def test_a_run_is_named_by_the_number_that_is_shown(shell: Shell) -> None:
    shell(
        "job", "create", "--name", "Numbered", "--slug", "2024", "--type", "command", "--set", 'command=["echo","hi"]'
    )
    shell("job", "run", "2024", "--wait")
    run = shell.json("run", "list", "--job", "2024")[0]
    number = run["number"]
    assert f"#{number} " in shell("run", "list", "--job", "2024")
    for key in (str(number), f"#{number}"):
        assert shell.json("run", "show", key)["id"] == run["id"]
    assert shell("run", "logs", f"#{number}") == "hi\n"
    assert "completed" in shell("run", "watch", str(number))
    again = shell("run", "rerun", str(number), run["id"]).split()
    assert [shell.json("run", "show", each)["originalRunId"] for each in again] == [run["id"]]
    assert f"cannot cancel #{number} (completed)" in shell("run", "cancel", f"#{number}", "--yes", code=6)
    for wrong in ("0", "2024", "#999999999999999999"):
        assert f"there is no run #{wrong.lstrip('#')}" in shell("run", "show", wrong, code=3)
    until(lambda: str(number) in shell("__complete", "run", "rerun", "").split(), "its number is completed")
    assert str(number) not in shell("__complete", "run", "cancel", "").split()
    assert shell("__complete", "run", "show", "", JOBDECK_AGENT="/nowhere.sock") == ""


def test_names_of_what_is_there_are_completed(shell: Shell) -> None:
    for name in ("Complete me", "Complete you"):
        shell("job", "create", "--name", name, "--type", "command", "--set", 'command=["true"]')
    both = ["complete-me", "complete-you"]
    completes(shell, "job", "run", "compl", into=both)
    completes(shell, "job", "run", "--timeout", "5", "--wait", "complete-m", into=both[:1])
    assert shell("__complete", "job", "show", "complete-me", "compl") == "", "it takes one"
    completes(shell, "export", "complete-me", "compl", into=both)  # it takes many
    completes(shell, "run", "list", "--job", "compl", into=both)
    assert shell("__complete", "job", "run", "--timeout", "compl") == "", "a number is to come"
    shell("kb", "create", "complete_kb")
    shell("secret", "set", "complete-secret", given="x")
    completes(shell, "kb", "search", "compl", into=["complete_kb"])
    completes(shell, "kb", "share", "compl", into=["complete_kb"])
    completes(shell, "connection", "add", "other", "sqlite:////x", "--secret", "compl", into=["complete-secret"])


def completes(shell: Shell, *words: str, into: list[str]) -> None:
    """Nobody waits for long who completes: from a busy agent there comes nothing, and then what there is."""
    until(lambda: (found := shell("__complete", *words).split()) and found == into, f"{words} become {into}")


def test_a_long_run_is_left_cancelled_and_told(shell: Shell) -> None:
    shell("job", "create", "--name", "Long", "--type", "command", "--set", 'command=["sleep","120"]')
    run = shell("job", "run", "long").strip()
    until(lambda: shell.json("run", "show", run)["state"] == "running", "it runs")
    assert "running" in shell("run", "watch", run, "--timeout", "1", code=9)
    assert "--yes" in shell("run", "cancel", run, code=2)
    assert run in shell("run", "cancel", run, "--yes")
    assert "cancelled" in shell("run", "watch", run, code=8)
    assert "cannot cancel" in shell("run", "cancel", run, "--yes", code=6)
    assert "not both" in shell("run", "cancel", run, "--filter", "state:running", code=2)
    assert shell("run", "cancel", "--filter", "state:running job:long", "--yes") == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("run", "list", "--filter", "state:"), 2),
        (("job", "show", "../x"), 3),
        (("apply", "-f", "/nowhere"), 2),
    ],
)
def test_refusals(shell: Shell, words: tuple[str, ...], code: int) -> None:
    assert shell(*words, code=code).startswith("jobdeck: ")


def test_refusals_say_what_would_be_right(shell: Shell) -> None:
    assert "no run and no job 'nothing'" in shell("run", "show", "nothing", code=3)
    assert "`jobdeck run list` shows it" in shell("run", "cancel", "hello", code=3)
    shell("job", "create", "--name", "To edit", "--type", "command", "--set", "command=true true")
    assert "jobdeck: EDITOR: " in shell("job", "edit", "to-edit", code=2, EDITOR="", VISUAL="")
    assert "jobdeck: USER: " in shell("job", "share", "to-edit", "nobody", "--level", "reader", code=2)
    told = shell("job", "create", "--name", "x", "--type", "command", "--set", "command=true", "--set", "cmd=1", code=2)
    assert told.splitlines() == [
        "jobdeck: data.command: should be a valid string, or a valid list (not true)",
        "jobdeck: data.cmd: is not a known field; did you mean 'cwd'? (not 1)",
    ]


def test_what_the_readme_shows_is_done(shell: Shell, tmp_path: Path) -> None:
    """Line by line, beside an agent that runs; with a table of this machine, and a backup in a place of its own."""
    shop = tmp_path / "shop.db"
    with closing(sqlite3.connect(shop)) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product, description, updated_at)")
    places = {"/tmp/monday.tar": f"{tmp_path}/monday.tar", "postgresql://reader@db.example/shop": f"sqlite:///{shop}"}
    for words in commands_in("README.md"):
        if words not in ([], ["agent"]) and not {"run", "search"} & set(
            words[1:2]
        ):  # those that cost, and are shown elsewhere
            shell(*(places.get(word, word) for word in words))
    assert {job["slug"] for job in shell.json("job", "list")} >= {"hello", "orders-into-the-index"}


def test_every_command_has_json() -> None:
    """A script need not know which commands print a resource."""
    import typer.main

    from agent.cli.commands import app as of_agent
    from console.cli.app import app as of_console

    def without(command: Any, words: str) -> list[str]:
        below = getattr(command, "commands", None)
        if below is not None:
            return [name for word, each in below.items() for name in without(each, f"{words} {word}")]
        return [] if any("--json" in each.opts for each in command.params) else [words.strip()]

    trees = [typer.main.get_command(app) for app in (of_agent, of_console)]
    assert [name for tree in trees for name in without(tree, "")] == ["agent", "demo"]
