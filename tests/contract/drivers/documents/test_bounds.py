"""Documents that cannot be read, and places that must not be: named, counted, refused."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError, RunCancelled
from agent.drivers.document_processing import archives
from agent.drivers.document_processing.parameters import DocumentParameters
from tests.contract.drivers.documents.files import children, put, put_all
from tests.contract.drivers.kb_world import KbWorld
from tests.harness.books import docx, epub
from tests.harness.pdf import pdf, pdf_that_grows


def test_bad_documents_are_named_and_the_others_go_on(world: KbWorld) -> None:
    put_all(world)
    whole = pdf("never seen")
    put(world, "in/a-broken.pdf", whole[: len(whole) // 3])
    put(world, "in/b-encrypted.pdf", pdf("secret", encrypted=True))
    put(world, "in/c-junk.pdf", b"no pdf at all")
    put(world, "in/d-binary.txt", bytes(range(256)))
    put(world, "in/e-large.txt", "x" * 3000)
    put(world, "in/f-wordy.html", "<p>" + "word " * 300)
    context = world.context()
    result = world.process(context, max_file_size="2 kB", max_characters=1000)
    assert (result["documentsProcessed"], result["errors"]) == (4, 6)
    said = dict(warning.split(": ", 1) for warning in context.warnings)
    assert list(said) == sorted(said)
    assert said["in/a-broken.pdf"].startswith("Invalid PDF")
    assert said["in/b-encrypted.pdf"] == "PDF is password-protected"
    assert said["in/c-junk.pdf"].startswith("Invalid PDF")
    assert said["in/d-binary.txt"] == "it is not text"
    assert said["in/e-large.txt"] == "it has 3 kB, more than max_file_size (2 kB)"
    assert said["in/f-wordy.html"].endswith("characters, more than max_characters (1000)")
    assert len(world.texts()) == 4


def test_document_that_breaks_the_reader_is_named_and_the_others_go_on(world: KbWorld) -> None:
    bomb = pdf_that_grows(100_000_000)
    assert len(bomb) < 1_000_000
    put(world, "in/a-bomb.pdf", bomb)
    put(world, "in/b.pdf", pdf("Marathon shoes"))
    context = world.context()
    result = world.process(context, max_memory="60 MB")
    assert (result["documentsProcessed"], result["errors"]) == (1, 1)
    assert "in/a-bomb.pdf: reading it broke the reader" in context.warnings[0]
    assert list(world.texts()) == ["in/b.pdf#0"]


@pytest.mark.parametrize("make", [docx, epub])
def test_archives_that_are_damaged_encrypted_or_reach_out_are_named(make: Callable[..., bytes], world: KbWorld) -> None:
    ending = make.__name__
    whole = make("Marathon shoes are red")
    secret = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    put(world, f"in/b-broken.{ending}", whole[: len(whole) // 2])
    put(world, f"in/c-flipped.{ending}", whole.replace(b"PK\x01\x02", b"PK\x01\x03"))
    put(world, f"in/d-encrypted.{ending}", b"\xd0\xcf\x11\xe0" + bytes(2000))
    put(world, f"in/e-reaching.{ending}", make("out &e; in", secret))
    put(world, f"in/f.{ending}", whole)
    context = world.context()
    world.process(context)
    said = {name.rpartition(".")[0]: why for name, why in (one.split(": ", 1) for one in context.warnings)}
    assert said.pop("in/d-encrypted") == "it is encrypted, or a document of an older kind"
    assert said.pop("in/b-broken").startswith("it is damaged or encrypted")
    assert said.pop("in/c-flipped").startswith("it is damaged or encrypted")
    assert said == {}
    assert "root:" not in str(world.texts())
    assert world.texts()[f"in/f.{ending}#0"] == "Marathon shoes are red"


def test_archives_are_unpacked_and_counted_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_UNPACKED", 3_000_000)
    assert archives.fault_of(epub("x" * 2_000_000)) is None
    bomb = docx("x" * 4_000_000)
    assert len(bomb) < 10_000
    assert archives.fault_of(bomb) == "it unpacks to more than 3 MB"
    modest = bomb.replace((4_000_146).to_bytes(4, "little"), (146).to_bytes(4, "little"))
    assert modest != bomb, "it says that it is small"
    assert "damaged" in str(archives.fault_of(modest))
    monkeypatch.setattr(archives, "MOST_PARTS", 2)
    assert archives.fault_of(docx("x")) == "it holds 3 files, more than 2"


@pytest.mark.parametrize("way", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_damaged_inside_of_an_archive_is_called_that_however_it_is_packed(way: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", way) as archive:
        archive.writestr("word/document.xml", "Marathon shoes are red " * 1000)
    whole = content.getvalue()
    assert archives.fault_of(whole) is None
    for place in range(50, 100):
        damaged = whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :]
        said = archives.fault_of(damaged)
        assert said is None or said.startswith("it is damaged or encrypted"), place


def test_file_that_changes_while_it_is_read_is_read_again(world: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(world, "in/a.txt", "first half")
    put(world, "in/b.txt", "at rest")
    fdopen, left = os.fdopen, [1]

    def written_to(handle: int, mode: str) -> Any:
        """Somebody adds to the first file as often as that, each time it is opened."""
        if left[0] and os.fstat(handle).st_ino == path.stat().st_ino:
            left[0] -= 1
            with path.open("a") as file:
                file.write(", second half")
        return fdopen(handle, mode)

    monkeypatch.setattr("agent.drivers.document_processing.reading.os.fdopen", written_to)
    world.process()
    assert world.texts()["in/a.txt#0"] == "first half, second half", "as it was when it stood still"
    left[0] = 99
    context = world.context()
    world.process(context)
    assert context.warnings == ["in/a.txt: it is being written; the next run reads it"]
    assert world.texts()["in/a.txt#0"] == "first half, second half", "what was there stays"


def test_document_that_takes_too_long_is_named_and_the_others_go_on(world: KbWorld) -> None:
    put(world, "in/a-slow.pdf", pdf_that_grows(100_000_000))
    put(world, "in/b.txt", "Marathon shoes")
    context = world.context()
    result = world.process(context, max_seconds=0.3)
    assert (result["documentsProcessed"], result["errors"]) == (1, 1)
    assert context.warnings == ["in/a-slow.pdf: reading it takes longer than max_seconds (0.3)"]
    assert children() == []


def test_run_fails_if_nothing_can_be_read(world: KbWorld) -> None:
    put(world, "in/a.pdf", b"junk")
    put(world, "in/b.pdf", b"junk")
    with pytest.raises(DriverError, match=r"none of 2 documents can be read; in/a\.pdf: Invalid PDF") as failed:
        world.process(remove_missing=True)
    assert failed.value.kind == "unreadable"


def test_links_are_left_alone_and_lead_nowhere(world: KbWorld, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    put_all(world)
    inside = world.folder / "files/in"
    (inside / "link.txt").symlink_to(secret)
    (inside / "links").symlink_to(tmp_path)
    (world.folder / "files/way").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe.txt")
    context = world.context()
    result = world.process(context)
    assert (result["documentsProcessed"], result["errors"]) == (4, 1)
    assert context.warnings == ["in/pipe.txt: 'in/pipe.txt' is no plain file"]
    assert "1 links are left alone" in "".join(text for _, text in context.lines)
    assert "password" not in "".join(world.texts().values())
    for place in ("in/links", "in/link.txt", "way", "way/secret.txt"):
        with pytest.raises(DriverError, match="links are not followed") as refused:
            world.process(files=[place])
        assert refused.value.kind == "path"


@pytest.mark.parametrize("place", ["/etc", "/etc/hostname", "/"])
def test_nothing_outside_of_the_roots_is_read(world: KbWorld, place: str) -> None:
    with pytest.raises(DriverError, match="is outside of the folders that files may be in") as refused:
        world.process(files=[place])
    assert refused.value.kind == "path"
    with pytest.raises(DriverError, match="is outside of the folders"):
        world.process(output="/etc/chunks.jsonl")


def test_absolute_places_below_a_root_are_read(world: KbWorld) -> None:
    put_all(world)
    root = world.folder / "files"
    assert world.process(files=[str(root / "in/plain.txt"), str(root)])["documentsProcessed"] == 4
    assert f"{root}/in/plain.txt#0" in world.texts()


def test_missing_places_fail_before_anything_is_removed(world: KbWorld) -> None:
    put_all(world)
    world.process()
    with pytest.raises(DriverError, match="there is no file or folder 'gone'") as refused:
        world.process(files=["in/notes", "gone"], remove_missing=True)
    assert refused.value.kind == "no_file"
    assert len(world.texts()) == 4


def test_named_file_of_another_type_is_refused(world: KbWorld) -> None:
    put_all(world)
    with pytest.raises(DriverError, match=r"'in/picture.png' cannot be read; its name ends with none of \.pdf"):
        world.process(files=["in/picture.png"])


def test_name_that_is_no_text_is_refused_alone(world: KbWorld) -> None:
    put_all(world)
    folder = os.fsencode(world.folder / "files/in")
    os.close(os.open(folder + b"/caf\xe9.txt", os.O_WRONLY | os.O_CREAT))
    put(world, "in/line\nbreak 'quoted'.txt", "a boat")
    context = world.context()
    result = world.process(context, remove_missing=True)
    assert (result["documentsProcessed"], result["errors"]) == (5, 1)
    assert context.warnings == ["in/caf\\xe9.txt: its name is not UTF-8"]
    assert "in/line\nbreak 'quoted'.txt#0" in world.texts()


def test_folders_nested_without_end_are_refused(world: KbWorld) -> None:
    at = world.folder / "files/in"
    for _ in range(103):
        at = at / "d"
    at.mkdir(parents=True)
    with pytest.raises(DriverError, match="nested more than 100 deep") as refused:
        world.process()
    assert refused.value.kind == "path"


def test_too_many_files_are_refused(world: KbWorld) -> None:
    put_all(world)
    with pytest.raises(DriverError, match="more than 3 files; raise max_files"):
        world.process(max_files=3)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"files": []}, "files"),
        ({"files": ["../secret"]}, "leads out of its folder"),
        ({"files": ["a/../../b"]}, "leads out of its folder"),
        ({"files": ["a\0b"]}, "leads out of its folder"),
        ({"output": "../x.jsonl", "knowledge_base": None}, "leads out of its folder"),
        ({"knowledge_base": None}, "either knowledge_base or output"),
        ({"output": "x.jsonl"}, "either knowledge_base or output"),
        ({"output": "x.jsonl", "knowledge_base": None, "remove_missing": True}, "leave remove_missing out"),
        ({"chunk_characters": 100, "chunk_overlap": 100}, "must be less than"),
        ({"max_file_size": "large"}, "not an amount of bytes"),
        ({"max_seconds": 0}, "max_seconds"),
    ],
)
def test_wrong_parameters_are_refused(told: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DocumentParameters.model_validate({"files": ["in"], "knowledge_base": "kb", **told})


def test_cancel_while_a_document_is_read(world: KbWorld) -> None:
    put(world, "in/a.txt", "a boat")
    put(world, "in/b-slow.pdf", pdf_that_grows(100_000_000))
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done == 1 else None
    with pytest.raises(RunCancelled):
        world.process(context)
    assert children() == []
    assert [step.state for step in context.steps] == ["completed", "cancelled"]


def test_a_library_that_somebody_else_left_in_the_folder_for_temporary_files_is_not_taken(
    world: KbWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    (shared / "kreuzberg-pdfium").mkdir(parents=True)
    (shared / "kreuzberg-pdfium" / "libpdfium.so").write_bytes(b"not the library")
    monkeypatch.setenv("TMPDIR", str(shared))
    put(world, "in/a.pdf", pdf("Marathon shoes"))
    world.process(world.context())
    assert list(world.texts()) == ["in/a.pdf#0"]
    left = [path.relative_to(shared) for path in shared.rglob("*") if path.is_file()]
    assert left == [Path("kreuzberg-pdfium/libpdfium.so")]
