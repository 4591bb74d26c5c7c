"""What is read of a definitions folder, and what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.resources.definitions import DefinitionsFolder
from shared.errors import Unavailable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "definitions"
    root.mkdir(mode=0o755)
    return root


def test_what_is_not_meant_is_passed_over(root: Path) -> None:
    (root / "a.toml").write_text("name = 1")
    for name in (".hidden.toml", "notes.txt", "b.toml~"):
        (root / name).write_text("name = 1")
    (root / ".git").mkdir(mode=0o755)
    (root / ".git" / "c.toml").write_text("name = 1")
    contents = DefinitionsFolder(root).read()
    assert (contents.texts, contents.faults) == ({"a.toml": "name = 1"}, {})


def test_a_link_within_the_folder_is_followed(root: Path) -> None:
    """As some deployments lay files out: a link to a file in a folder with a dot."""
    (root / "..data").mkdir(mode=0o755)
    (root / "..data" / "a.toml").write_text("name = 1")
    (root / "a.toml").symlink_to("..data/a.toml")
    assert DefinitionsFolder(root).read().texts == {"a.toml": "name = 1"}


def test_what_cannot_be_read_says_why(root: Path) -> None:
    os.mkfifo(root / "pipe.toml", 0o644)
    (root / "bytes.toml").write_bytes(b"name = '\xff'")
    (root / "huge.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    (root / "gone.toml").symlink_to("nowhere.toml")
    (root / "open").mkdir(mode=0o755)
    (root / "open" / "a.toml").write_text("name = 1")
    (root / "open").chmod(0o777)
    contents = DefinitionsFolder(root).read()
    said = {name: fault.message for name, fault in contents.faults.items()}
    assert contents.texts == {}
    assert said["pipe.toml"] == "is not a plain file"
    assert "not UTF-8" in said["bytes.toml"]
    assert "1,048,577 bytes" in said["huge.toml"]
    assert "cannot be read" in said["gone.toml"]
    assert "lies in open, which can be written by others (mode 0777)" in said["open/a.toml"]


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_folder_that_others_write_is_not_read(root: Path, mode: int) -> None:
    root.chmod(mode)
    with pytest.raises(Unavailable, match="can be written by others"):
        DefinitionsFolder(root).read()


def test_a_missing_folder_is_named(root: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere cannot be read: No such file"):
        DefinitionsFolder(root / "nowhere").read()
