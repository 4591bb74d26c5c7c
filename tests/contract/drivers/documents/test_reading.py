"""The contract of document_processing: what can be read is there, and only what changed is read again."""

from __future__ import annotations

import json
import random
from contextlib import closing
from typing import Any

import pytest

from agent.core.driving import DriverError, RunCancelled
from agent.drivers.document_processing.manifest import MANIFEST
from agent.drivers.document_processing.parameters import DocumentParameters
from agent.drivers.document_processing.reading import Document, DocumentReader
from agent.resources.embedders import open_embedder
from agent.resources.knowledge.search import KnowledgeSearch
from tests.contract.drivers.documents.files import children, put, put_all
from tests.contract.drivers.kb_victim import start
from tests.contract.drivers.kb_world import KbWorld


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all documents that are read, in order."""
    names: list[str] = []
    real = DocumentReader.read

    def told(reader: DocumentReader, name: str, content: bytes) -> Document:
        names.append(name)
        return real(reader, name, content)

    monkeypatch.setattr(DocumentReader, "read", told)
    return names


def search(world: KbWorld, question: str, **filter_: Any) -> list[dict[str, Any]]:
    vector = open_embedder("wordllama").embed([question])[0]
    with closing(KnowledgeSearch(world.base, "wordllama", 256)) as opened:
        return opened.search(question, vector, "vector", 1, filter_)


def test_each_kind_is_read_searchable_and_described(world: KbWorld) -> None:
    put_all(world)
    context = world.context()
    result = world.process(context, chunk_characters=100, chunk_overlap=0)
    assert result == {
        "documentsProcessed": 4,
        "errors": 0,
        "documentsUnchanged": 0,
        "documentsRemoved": 0,
        "chunks": 4,
        "embedded": 4,
    }
    (shoes,) = search(world, "running a marathon")
    assert (shoes["key"], shoes["origin"]) == ("in/shoes.pdf#0", "documents")
    assert shoes["text"] == "Marathon shoes are red.\nThey run fast.\n\nEspresso (strong)."
    assert shoes["attributes"] == {
        "file": "in/shoes.pdf", "chunk": 0, "page": 1, "pages": 2, "title": "A title", "author": "Ann Author",
    }  # fmt: skip
    (hats,) = search(world, "winter hats")
    assert hats["attributes"]["title"] == "Hat shop"
    assert hats["text"] == "Hats\n\nWarm & woollen hats for the winter, by hand."
    (sailing,) = search(world, "boats", title="Sailing notes")
    assert (sailing["key"], sailing["attributes"]["author"]) == ("in/notes/sailing.md#0", "Bob")
    assert search(world, "furniture")[0]["key"] == "in/plain.txt#0"
    assert [step.key for step in context.steps] == ["list", "read", "finish"]
    assert context.progressed == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert context.warnings == []
    assert children() == []


def test_long_text_is_cut_into_chunks_that_overlap(world: KbWorld) -> None:
    sentences = [f"Sentence number {number} is about boat {number}." for number in range(100)]
    put(world, "in/long.txt", "\n\n".join(sentences))
    result = world.process(chunk_characters=200, chunk_overlap=50)
    texts = world.texts()
    assert len(texts) == result["chunks"] > 15
    assert set(texts) == {f"in/long.txt#{number}" for number in range(len(texts))}
    assert max(map(len, texts.values())) <= 200
    assert all(any(sentence in text for text in texts.values()) for sentence in sentences)


def test_only_what_changed_is_read_and_embedded_again(world: KbWorld, read: list[str]) -> None:
    put_all(world)
    paragraphs = [
        "\n\n".join(f"Paragraph {number} of the {word} book." for word in ("red", "blue", "green"))
        for number in range(9)
    ]
    put(world, "in/book.txt", "\n\n".join(paragraphs))
    first = world.process(chunk_characters=120, chunk_overlap=0)
    assert len(read) == 5
    read.clear()
    world.embedded.clear()
    again = world.process(chunk_characters=120, chunk_overlap=0)
    assert (again["documentsProcessed"], again["documentsUnchanged"], again["chunks"]) == (0, 5, 0)
    assert read == world.embedded == []
    put(world, "in/book.txt", "\n\n".join(paragraphs[:5]) + "\n\nThe end.")
    changed = world.process(chunk_characters=120, chunk_overlap=0)
    assert (changed["documentsProcessed"], changed["documentsUnchanged"]) == (1, 4)
    assert read == ["in/book.txt"]
    assert 0 < len(world.embedded) < changed["chunks"] < first["chunks"]
    assert len(world.texts()) == changed["chunks"] + 4
    assert "Paragraph 8" not in "".join(world.texts().values())


def test_other_chunks_are_made_anew(world: KbWorld, read: list[str]) -> None:
    put(world, "in/long.txt", "A sentence of words. " * 50)
    world.process(chunk_characters=200, chunk_overlap=0)
    more = len(world.texts())
    world.process(chunk_characters=400, chunk_overlap=0)
    assert len(read) == 2
    assert len(world.texts()) < more


def test_what_is_gone_is_removed_when_that_is_asked_for(world: KbWorld) -> None:
    put_all(world)
    world.process()
    (world.folder / "files/in/plain.txt").unlink()
    assert world.process()["documentsRemoved"] == 0
    assert "in/plain.txt#0" in world.texts()
    assert world.process(remove_missing=True, exclude=["HATS.*"])["documentsRemoved"] == 2
    assert set(world.texts()) == {"in/shoes.pdf#0", "in/notes/sailing.md#0"}
    assert world.query("SELECT name FROM documents ORDER BY name") == [("in/notes/sailing.md",), ("in/shoes.pdf",)]


def test_empty_folder_is_not_taken_for_removed_documents(world: KbWorld) -> None:
    put_all(world)
    world.process()
    for path in (world.folder / "files/in").rglob("*.*"):
        path.unlink()
    with pytest.raises(DriverError, match="has 4 documents of them: nothing is removed") as refused:
        world.process(remove_missing=True)
    assert refused.value.kind == "nothing_found"
    assert len(world.texts()) == 4


def test_document_that_became_unreadable_keeps_what_was_there(world: KbWorld) -> None:
    put_all(world)
    world.process()
    put(world, "in/shoes.pdf", b"broken")
    result = world.process(remove_missing=True)
    assert (result["errors"], result["documentsRemoved"], result["documentsUnchanged"]) == (1, 0, 3)
    assert "in/shoes.pdf#0" in world.texts()


def test_include_exclude_and_single_files(world: KbWorld) -> None:
    put_all(world)
    put(world, "in/SHOUT.MD", "# LOUD")
    assert world.process(include=["*.md"], exclude=["sail*"], origin="one")["documentsProcessed"] == 1
    result = world.process(files=["in/plain.txt", "in", "./in/notes"], include=["*.txt", "*.md"], origin="two")
    assert result["documentsProcessed"] == 3


def test_two_origins_do_not_touch_each_other(world: KbWorld) -> None:
    put(world, "in/a.txt", "a boat")
    put(world, "other/b.txt", "a hat")
    world.process(origin="first")
    world.process(origin="second", files=["other"], remove_missing=True)
    assert set(world.texts()) == {"in/a.txt#0", "other/b.txt#0"}


def test_origin_of_a_table_is_left_alone(world: KbWorld) -> None:
    world.create_orders()
    world.add(1)
    world.sync()
    put(world, "in/a.txt", "a boat")
    with pytest.raises(DriverError, match=r"origin 'orders_db\.orders' is that of a table"):
        world.process(origin="orders_db.orders")
    assert list(world.texts()) == ["1"]


def test_attributes_that_were_replaced_stay_so(world: KbWorld) -> None:
    put_all(world)
    world.process()
    world.replace(keep=["file"], rename={"file": "path"})
    put(world, "in/new.txt", "a new boat")
    world.process()
    assert world.attributes()["in/new.txt#0"] == {"path": "in/new.txt"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("latin.txt", "caf\xe9 au lait".encode("latin-1")),
        ("sixteen.txt", "caf\xe9 au lait".encode("utf-16")),
        ("marked.txt", "caf\xe9 au lait".encode("utf-8-sig")),
        ("named.html", '<meta charset="iso-8859-1"><p>caf\xe9 au lait'.encode("latin-1")),
        ("misnamed.html", '<meta charset="no-such"><p>caf\xe9 au lait'.encode()),
    ],
)
def test_encodings(world: KbWorld, name: str, content: bytes) -> None:
    put(world, f"in/{name}", content)
    world.process()
    assert world.texts() == {f"in/{name}#0": "café au lait"}


def test_empty_documents_have_no_chunk_and_are_not_read_again(world: KbWorld, read: list[str]) -> None:
    put(world, "in/empty.txt", "")
    context = world.context()
    assert world.process(context)["chunks"] == 0
    assert ("warning", "in/empty.txt: there is no text in it") in context.lines
    world.process()
    assert read == ["in/empty.txt"]


def test_killed_runs_go_on_and_end_with_exactly_the_files(world: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        put(world, f"in/{number:02}.txt", f"Text number {number} about boats. " * 20)
    chance = random.Random(3)
    told = {"chunk_characters": 100, "chunk_overlap": 0}
    for _ in range(2):
        victim = start(world, "process", "run-k", **told)
        victim.killed_after(chance.randint(2, 39), chance.uniform(0, 0.01))
    put(world, "in/05.txt", "changed")
    result = world.process(world.context("run-k", attempt=3), **told)
    other = KbWorld(world.folder / "other", world.url)
    other_context = other.context()
    other_context.file_roots = [str(world.folder / "files")]
    other.process(other_context, **told)
    assert world.texts() == other.texts()
    assert (result["documentsProcessed"], result["errors"]) == (40, 0)
    assert result["chunks"] == len(world.texts())


def lines(world: KbWorld, name: str = "out/chunks.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (world.folder / "files" / name).read_text().splitlines()]


def test_chunks_as_json_lines(world: KbWorld) -> None:
    put_all(world)
    result = world.process(output="out/chunks.jsonl")
    assert (result["documentsProcessed"], result["chunks"]) == (4, 4)
    found = {line["file"]: line for line in lines(world)}
    assert found["in/shoes.pdf"]["page"] == 1
    assert found["in/shoes.pdf"]["metadata"] == {"title": "A title", "author": "Ann Author", "pages": 2}
    assert found["in/plain.txt"] == {
        "file": "in/plain.txt", "chunk": 0, "text": "A garden chair made of wood.", "metadata": {},
    }  # fmt: skip
    (world.folder / "files/in/plain.txt").unlink()
    world.process(output="out/chunks.jsonl")
    assert len(lines(world)) == 3
    assert world.embedded == []


def test_file_that_is_there_stays_until_the_new_one_is_whole(world: KbWorld) -> None:
    put_all(world)
    world.process(output="out/chunks.jsonl")
    before = lines(world)
    context = world.context()
    context.on_progress = lambda done, _total: context.cancelled.set() if done == 3 else None
    with pytest.raises(RunCancelled):
        world.process(context, output="out/chunks.jsonl")
    assert lines(world) == before
    assert [path.name for path in (world.folder / "files/out").iterdir() if "names" not in path.name] == [
        "chunks.jsonl"
    ]


def test_second_attempt_writes_the_same_file(world: KbWorld) -> None:
    put_all(world)
    world.process(world.context("run-o"), output="out/chunks.jsonl")
    before = lines(world)
    world.process(world.context("run-o", attempt=2), output="out/chunks.jsonl")
    assert lines(world) == before


def test_manifest_names_what_the_job_needs() -> None:
    assert MANIFEST.needs(DocumentParameters.model_validate(MANIFEST.template)).knowledge_bases == ("handbook_kb",)
    written = DocumentParameters.model_validate({"files": ["in"], "output": "x.jsonl"})
    assert MANIFEST.needs(written).knowledge_bases == ()
    assert MANIFEST.repeat_safe
