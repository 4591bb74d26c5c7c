"""An agent that is starting is waited for, and leaves nothing where it does not come to be."""

from __future__ import annotations

from pathlib import Path

from shared.places import socket_path
from shared.starting import starting, wait_for_start


def test_it_is_waited_for_until_it_answers(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with starting(data) as started:
        assert not wait_for_start(socket_path(data), patience=0)
        (data / "jobdeck.db").touch()
        started()
        assert wait_for_start(socket_path(data), patience=0)
        assert [path.name for path in data.iterdir()] == ["jobdeck.db"]


def test_a_start_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    with starting(tmp_path / "data"):
        pass
    assert not (tmp_path / "data").exists()


def test_who_was_killed_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "agent.starting").touch()
    assert wait_for_start(socket_path(tmp_path), patience=0)


def test_a_folder_that_cannot_be_is_left_to_the_start_itself() -> None:
    with starting(Path("/dev/null/data")) as started:
        started()
