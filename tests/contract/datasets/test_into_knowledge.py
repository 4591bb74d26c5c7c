"""Files into a knowledge base: each row once by its key, only what changed embedded, bad rows by line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.driving import DriverError
from agent.core.wire import AttachmentGrant
from agent.drivers.import_.manifest import MANIFEST
from agent.drivers.import_.parameters import ImportParameters
from agent.resources.knowledge.shares import ShareIdentity
from tests.contract.datasets.test_files import export, put
from tests.contract.datasets.test_kill import start
from tests.contract.datasets.world import DataWorld
from tests.harness.context import RecordingContext

ARTICLES = '{"no": 1, "title": "Lamp", "body": "bright", "year": 2024, "tags": ["a"]}\n{"no": 2, "title": "Chair"}\n'
ROWS = 3000
HOW: dict[str, Any] = {"knowledge_base": "kb", "key_columns": ["no"], "content_columns": ["title", "body"]}


def bring(world: DataWorld, file: str, context: RecordingContext | None = None, **more: Any) -> dict[str, Any]:
    return world.run("import", context, **{"file": file, **HOW, **more})


def test_rows_become_text_and_attributes_and_only_what_changed_is_embedded(shop: DataWorld) -> None:
    put(shop, "in.jsonl", ARTICLES)
    result = bring(shop, "in.jsonl")
    assert {name: result[name] for name in ("rowsImported", "errors", "rowsChanged", "embedded")} == {
        "rowsImported": 2, "errors": 0, "rowsChanged": 2, "embedded": 2,
    }  # fmt: skip
    assert shop.in_base() == {"1": ("Lamp\nbright", {"no": 1, "year": 2024}), "2": ("Chair", {"no": 2})}
    put(shop, "next.csv", "Number;Title;Year\n2;Stool;1999\n3;Desk;\n3;Table;\n")
    columns = {"Number": "no", "Title": "title", "Year": "year"}
    result = bring(
        shop, "next.csv", delimiter=";", columns=columns, types={"Year": "integer"}, content_columns=["title"]
    )
    assert (result["rowsImported"], result["rowsChanged"], result["embedded"]) == (3, 2, 2)
    assert shop.in_base() == {
        "1": ("Lamp\nbright", {"no": 1, "year": 2024}),
        "2": ("Stool", {"no": "2", "year": 1999}),
        "3": ("Table", {"no": "3", "year": None}),
    }
    again = bring(
        shop, "next.csv", delimiter=";", columns=columns, types={"Year": "integer"}, content_columns=["title"]
    )
    assert (again["rowsUnchanged"], again["embedded"]) == (2, 0)


def test_what_the_file_does_not_have_is_removed_if_none_of_its_rows_is_bad(shop: DataWorld) -> None:
    put(shop, "in.jsonl", ARTICLES)
    bring(shop, "in.jsonl")
    put(shop, "in.jsonl", '{"no": 3, "title": "Desk"}\n{"no": null, "title": "Shelf"}\n')
    context = shop.context()
    bring(shop, "in.jsonl", context, remove_missing=True, on_bad_row="skip")
    assert context.warnings == ["rows of the file are bad: nothing is removed"]
    assert set(shop.in_base()) == {"1", "2", "3"}
    put(shop, "in.jsonl", '{"no": 3, "title": "Desk"}\n')
    assert bring(shop, "in.jsonl", remove_missing=True)["rowsRemoved"] == 2
    assert set(shop.in_base()) == {"3"}


def test_bad_rows_are_told_by_line_and_column_and_end_the_run_or_are_left_out(shop: DataWorld) -> None:
    put(
        shop,
        "in.jsonl",
        '{"no": 1, "title": "Lamp", "price": "1.5"}\n{"title": "Chair"}\n{"no": 3, "title": " "}\nno json\n'
        '{"no": 4, "title": "Desk", "price": "much"}\n{"no": 5, "title": "\\ud800"}\n{"no": 6, "title": "Bed"}\n',
    )
    given: dict[str, Any] = {"types": {"price": "float"}, "batch_size": 2}
    with pytest.raises(DriverError) as refused:
        bring(shop, "in.jsonl", **given)
    assert (refused.value.kind, refused.value.message) == (
        "bad_row", "a row cannot be taken; the last: line 2: no: is empty, and tells rows apart",
    )  # fmt: skip
    result = bring(shop, "in.jsonl", on_bad_row="skip", **given)
    assert (result["rowsImported"], result["errors"]) == (2, 5)
    assert [(bad["line"], bad["column"]) for bad in result["firstErrors"]] == [
        (2, "no"), (3, "title"), (4, None), (5, "price"), (6, None),
    ]  # fmt: skip
    assert shop.in_base()["1"][1]["price"] == 1.5
    with pytest.raises(DriverError, match="`max_errors` is 4") as refused:
        bring(shop, "in.jsonl", max_errors=4, **given)
    assert refused.value.kind == "too_many_errors"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"no": 1, "title": "\\ud800"}', "surrogates not allowed"),
        ('{"no": NaN, "title": "Lamp"}', "NaN"),
        ('{"no": ' + "9" * 5000 + "}", "digits"),
        ('{"no": 1, "title": ' + "[" * 100_000 + "]" * 100_000 + "}", "recursion"),
    ],
    ids=["half a pair", "no number", "an endless number", "depth"],
)
def test_a_file_without_a_sound_row_says_what_is_wrong_with_its_first(shop: DataWorld, line: str, why: str) -> None:
    put(shop, "in.jsonl", line + "\n")
    with pytest.raises(DriverError, match=f"line 1: is no JSON: .*{why}") as refused:
        bring(shop, "in.jsonl")
    assert refused.value.kind == "bad_row"
    assert shop.in_base() == {}


def test_columns_without_end_are_refused_and_not_listed(shop: DataWorld) -> None:
    put(
        shop,
        "wide.jsonl",
        "".join(json.dumps({f"c{number}-{n}": n for n in range(200)}) + "\n" for number in range(60)),
    )
    with pytest.raises(DriverError, match="has 10200 columns; at most 10000"):
        bring(shop, "wide.jsonl")
    put(shop, "many.csv", ",".join(f"{number}{'x' * 500}" for number in range(3000)) + "\n")
    with pytest.raises(DriverError, match="and 2950 more") as refused:
        bring(shop, "many.csv")
    assert len(refused.value.message) < 10_000


def test_a_snapshot_an_attachment_and_what_export_writes_are_read_too(shop: DataWorld, tmp_path: Path) -> None:
    shop.refresh()
    how: dict[str, Any] = {
        "knowledge_base": "kb",
        "key_columns": ["id"],
        "content_columns": ["product"],
        "origin": "orders",
    }
    assert shop.run("import", from_dataset="orders", **how)["rowsImported"] == 300
    assert shop.in_base()["7"] == ("lamp 7", {"id": 7, "price": 1.75})
    export(shop, table=None, knowledge_base="kb", format="jsonl", file="kb.jsonl")
    context = shop.context()
    context.attachments = [AttachmentGrant(type="file", name="kb.jsonl", path=str(shop.exports / "kb.jsonl"))]
    how |= {
        "key_columns": ["key"],
        "content_columns": ["text"],
        "attribute_columns": [],
        "attributes_from": "attributes",
    }
    before = shop.in_base()
    with pytest.raises(DriverError, match="told apart by id; take another origin"):
        shop.run("import", context, attachment="kb.jsonl", **how)
    (tmp_path / "kb").rename(tmp_path / "old")
    (tmp_path / "kb").mkdir()
    assert shop.run("import", context, attachment="kb.jsonl", **how)["rowsImported"] == 300
    assert shop.in_base() == before
    with pytest.raises(DriverError, match=r"no file is attached as 'other\.csv'; there are: kb\.jsonl"):
        shop.run("import", context, attachment="other.csv", **how)


def test_killed_import_brings_every_row_once_and_goes_on_where_it_was(shop: DataWorld) -> None:
    rows = [{"no": number, "title": f"article {number}"} for number in range(ROWS)]
    put(shop, "in.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    wish = {"file": "in.jsonl", **HOW, "content_columns": ["title"], "batch_size": 50, "remove_missing": True}
    assert start(shop, "import", "run-k", 1, **wish).killed_after(1, 0.0)
    done = len(shop.in_base())
    assert sorted(map(int, shop.in_base())) == list(range(done))
    assert 0 < done < ROWS
    context = shop.context("run-k", attempt=2)
    result = shop.run("import", context, **wish)
    assert context.lines[0][1] == f"goes on behind record {done}, where an attempt before has stopped"
    assert (result["rowsImported"], result["rowsRemoved"], result["embedded"]) == (ROWS, 0, ROWS)
    assert len(shop.in_base()) == ROWS


def test_another_file_in_the_same_run_is_read_from_its_beginning(shop: DataWorld) -> None:
    """Whoever was killed before its checkpoint was stored does not know that the file is another one."""
    put(shop, "in.jsonl", ARTICLES)
    bring(shop, "in.jsonl", shop.context("run-1"))
    put(shop, "in.jsonl", '{"no": 8, "title": "Desk"}\n{"no": 9, "title": "Bed"}\n')
    assert bring(shop, "in.jsonl", shop.context("run-1", attempt=2))["rowsImported"] == 2
    assert set(shop.in_base()) == {"1", "2", "8", "9"}


def test_an_origin_of_another_embedder_is_made_anew_aside(shop: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    put(shop, "in.jsonl", ARTICLES)
    with monkeypatch.context() as patched:
        make = ShareIdentity
        name = "agent.resources.datasets.into_knowledge.ShareIdentity"
        patched.setattr(name, lambda origin, _embedder, dimensions, keys: make(origin, "old", dimensions, keys))
        bring(shop, "in.jsonl")
    put(shop, "in.jsonl", '{"no": 3, "title": "Desk"}\n')
    with pytest.raises(DriverError, match="were embedded by old"):
        bring(shop, "in.jsonl")
    bring(shop, "in.jsonl", remove_missing=True)
    assert set(shop.in_base()) == {"3"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"file": "a.csv", "attachment": "b.csv", **HOW}, "name one of `file`, `attachment`, `from_dataset`"),
        ({"file": "a.csv", **HOW, "table": "src.orders"}, "name one of `table`, `dataset`, `knowledge_base`"),
        ({"file": "a.csv", "knowledge_base": "kb", "content_columns": ["t"]}, "needs `key_columns`"),
        ({"file": "a.csv", "table": "src.orders", "origin": "x"}, "`origin` is for a `knowledge_base`"),
        ({"file": "a.csv", **HOW, "mode": "insert"}, "always `upsert`"),
        ({"file": "a.csv", **HOW, "on_bad_row": "fail", "max_errors": 3}, "leave one of them out"),
        ({"file": "a.csv", **HOW, "origin": "src.orders"}, "match"),
        ({"attachment": "a", **HOW}, "say the `format`"),
    ],
)
def test_what_does_not_fit_together_is_refused_when_the_job_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ImportParameters.model_validate(given)


def test_columns_that_are_not_there_are_named_before_anything_is_written(shop: DataWorld) -> None:
    put(shop, "in.jsonl", ARTICLES)
    with pytest.raises(DriverError, match="`content_columns`: the file has no column 'titel'; did you mean title"):
        bring(shop, "in.jsonl", content_columns=["titel"])
    assert shop.in_base() == {}
    needs = MANIFEST.needs(ImportParameters.model_validate({"from_dataset": "orders", **HOW}))
    assert (needs.knowledge_bases, needs.datasets, needs.connections) == (("kb",), ("orders",), ())
