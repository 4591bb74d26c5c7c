"""Files lie below the configured roots, and nothing leads out of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError
from agent.resources.datasets.places import open_file, open_folder
from agent.settings import Settings


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    (tmp_path / "shared").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("hidden")
    return [str(tmp_path / "exports"), str(tmp_path / "shared")]


def test_relative_folders_are_made_below_the_first_root(roots: list[str]) -> None:
    with open_folder(roots, "daily/orders", make=True) as folder:
        os.close(os.open("made", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    assert Path(roots[0], "daily/orders/made").exists()
    with open_folder(roots, f"{roots[1]}/deep", make=True):
        assert Path(roots[1], "deep").is_dir()
    with open_folder(roots, "") as folder:
        assert os.listdir(folder) == ["daily"]  # noqa: PTH208  (a descriptor)


def test_an_account_s_own_folder_is_there_before_anything_was_put_into_it(roots: list[str]) -> None:
    with pytest.raises(DriverError, match=r"there is no file 'prices\.csv'") as refused, open_file(roots, "prices.csv"):
        pass
    assert refused.value.kind == "no_file"
    assert Path(roots[0]).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "folder", ["../secret", "daily/../../secret", "/etc", "{root}/../secret", "{root}x", "a\0b", ".."]
)
def test_what_leads_out_is_refused(roots: list[str], folder: str) -> None:
    Path(roots[0]).mkdir()
    with pytest.raises(DriverError) as refused, open_folder(roots, folder.format(root=roots[1]), make=True):
        pass
    assert refused.value.kind == "path"


def test_links_are_not_followed(roots: list[str], tmp_path: Path) -> None:
    root = Path(roots[1])
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "file").symlink_to(tmp_path / "secret" / "key")
    (root / "within").mkdir()
    (root / "inner").symlink_to(root / "within")
    for folder in ("out", "out/deeper", "inner"):
        with pytest.raises(DriverError) as refused, open_folder(roots, f"{root}/{folder}", make=True):
            pass
        assert (refused.value.kind, "link" in refused.value.message) == ("path", True)
    for path in (f"{root}/file", f"{root}/out/key"):
        with pytest.raises(DriverError) as refused, open_file(roots, path):
            pass
        assert refused.value.kind == "path"
    assert not (tmp_path / "secret" / "deeper").exists()


def test_only_plain_files_are_read(roots: list[str]) -> None:
    root = Path(roots[1])
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    for name, kind in (("pipe", "path"), ("folder", "path"), ("nothing", "no_file")):
        with pytest.raises(DriverError) as refused, open_file(roots, f"{root}/{name}"):
            pass
        assert refused.value.kind == kind
    (root / "plain").write_text("here")
    with open_file(roots, f"{root}/plain") as handle:
        assert os.read(handle, 10) == b"here"


@pytest.mark.parametrize("root", ["{data}", "{data}/logs", "{data}/..", "{data}/../link", "{data}/../link/exports"])
def test_a_root_holds_nothing_of_the_data_folder(tmp_path: Path, root: str) -> None:
    """Else imports read the key of the secrets, and the files of every account."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    with pytest.raises(ValidationError, match="one within the other"):
        Settings(data_dir=data, file_roots=[Path(root.format(data=data))])
    assert Settings(data_dir=data, file_roots=[tmp_path / "shared"]).roots("default")[1] == tmp_path / "shared"


def test_a_root_of_one_account_is_no_others(tmp_path: Path) -> None:
    for name in ("sales", "hr", "shared", "hr/deep"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "hr")
    own = {"sales": [tmp_path / "sales"], "hr": [tmp_path / "hr"]}
    settings = Settings(data_dir=tmp_path / "data", file_roots=[tmp_path / "shared"], account_file_roots=own)
    assert settings.roots("sales")[1:] == [tmp_path / "shared", tmp_path / "sales"]
    assert settings.roots("hr")[1:] == [tmp_path / "shared", tmp_path / "hr"]
    assert settings.roots("default")[1:] == [tmp_path / "shared"]
    for root in ("hr", "hr/deep", "link", "shared", ".", "data", "data/exports-of/hr"):
        given = own | {"sales": [tmp_path / root]}
        with pytest.raises(ValidationError, match=r"overlap|one within the other"):
            Settings(data_dir=tmp_path / "data", file_roots=[tmp_path / "shared"], account_file_roots=given)
