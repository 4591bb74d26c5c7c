"""What the console remembers between two starts, and what it does with a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.memory import Memory, memory_of


def test_what_was_kept_is_there_at_the_next_start_for_that_agent_alone(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path), "HOME": "/nowhere"}
    memory = memory_of("jobs.example:8470/../x", environ)
    memory.keep("runs", view="failed")
    memory.keep("runs", sort="took")
    assert memory_of("jobs.example:8470/../x", environ).list("runs") == {"view": "failed", "sort": "took"}
    assert memory_of("other", environ).list("runs") == {}
    assert [path.parent.name for path in tmp_path.rglob("*.json")] == ["jobdeck-console"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"lists": 3}', '{"lists": {"runs": "failed"}}', "\x00\xff", "[" * 100_000]
)
def test_a_broken_file_means_the_defaults_and_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "local.json"
    path.write_text(text)
    memory = Memory(path)
    assert (memory.list("runs"), str(path) in memory.fault) == ({}, True)
    memory.keep("runs", view="failed")
    assert (Memory(path).list("runs"), Memory(path).fault) == ({"view": "failed"}, "")


def test_what_cannot_be_written_is_told_and_changes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "local.json")
    memory.keep("runs", view="failed")
    assert "cannot be remembered" in memory.fault
    assert memory.list("runs") == {"view": "failed"}


def test_who_has_no_home_is_not_bothered() -> None:
    memory = memory_of("local", {})
    memory.keep("runs", view="failed")
    assert memory.fault == ""
