"""Sharing, and the record of what was done, as commands against an agent that runs as a process."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.harness.shell import Shell


def test_a_job_is_shared_and_the_record_says_so(shell: Shell) -> None:
    shell("job", "create", "--name", "Nightly", "--type", "command", "--set", 'command=["true"]')
    shell("user", "create", "ada", given="correct horse battery staple\n")
    shell("job", "share", "nightly", "ada", "--level", "runner")
    [share] = shell.json("job", "shares", "nightly")
    assert (share["principalName"], share["accessLevel"]) == ("ada", "runner")
    assert "ada" in shell("job", "shares", "nightly")
    assert "no user of this account" in shell("job", "owner", "nightly", "nobody", code=2)
    assert shell.json("job", "owner", "nightly", "ada")["naturalId"] == "ada:nightly"
    shell("job", "unshare", "nightly", "ada")
    assert shell.json("job", "shares", "nightly") == []
    record = shell.json("audit", "--subject", "Nightly")
    assert [(entry["act"], entry["via"], entry["revision"]) for entry in record] == [
        ("create_job", "socket", 1),
        ("share_job", "socket", None),
        ("put_job_owner", "socket", None),
        ("put_job_owner", "socket", 1),
        ("unshare_job", "socket", None),
    ]
    assert shell.json("audit", "--refused") == []


def test_what_jobs_work_with_is_shared_by_the_same_words(shell: Shell, tmp_path: Path) -> None:
    shell("user", "create", "grace", given="correct horse battery staple\n")
    shell("connection", "add", "shop", f"sqlite:///{tmp_path}/shop.db")
    for made in (
        ("connection", "add", "own", "sqlite:////o.db"),
        ("kb", "create", "own"),
        ("dataset", "create", "own"),
    ):
        assert shell.json(*made, "--private")["visibility"] == "private"
    shell("kb", "create", "orders_kb")
    shell("dataset", "create", "orders")
    shell("secret", "set", "gateway", "--private", given="s3cr3t")
    assert shell("secret", "visibility", "gateway").strip() == "private"
    assert shell.json("secret", "rotate-key") == {"secrets": 1, "unreadable": []}
    for family, name in (("connection", "shop"), ("kb", "orders_kb"), ("dataset", "orders"), ("secret", "gateway")):
        made = shell.json(family, "share", name, "grace", "--level", "runner")
        assert (made["principalName"], made["accessLevel"]) == ("grace", "runner")
        assert [share["principalName"] for share in shell.json(family, "shares", name)] == ["grace"]
        shell(family, "unshare", name, "grace")
        assert shell.json(family, "shares", name) == []
        assert shell.json(family, "visibility", name, "private")["visibility"] == "private"
        assert shell.json(family, "owner", name, "grace")["ownerId"] == made["principalId"]
        assert "private" in shell(family, "list") or family == "dataset"
        shell(family, "share", "no-such", "grace", code=3)
    assert "account, private" in shell("kb", "visibility", "orders_kb", "public", code=2)
    assert "no user of this account" in shell("dataset", "owner", "orders", "nobody", code=2)


def test_who_removes_something_is_told_which_jobs_fail_without_it(shell: Shell, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "till.db")) as till:
        till.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, product TEXT, updated_at TEXT)")
    shell("connection", "add", "till", f"sqlite:///{tmp_path}/till.db")
    shell("connection", "add", "spare", f"sqlite:///{tmp_path}/spare.db")
    shell("kb", "create", "till_kb")
    data = {
        "source_table": "till.orders",
        "knowledge_base": "till_kb",
        "content_columns": ["product"],
        "filter_column": "updated_at",
    }
    sets = [word for key, value in data.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    job = shell.json("job", "create", "--name", "Sync the till", "--type", "kb-sync", *sets)
    for family, name in (("connection", "till"), ("kb", "till_kb")):
        asked = shell(family, "remove", name, code=2)
        assert "1 job works with it and fails from then on: Sync the till. Remove the" in asked
        removed = shell.json(family, "remove", name, "--yes")
        assert removed == {
            "removed": name,
            "jobs": [{"id": job["id"], "name": "Sync the till", "slug": "sync-the-till"}],
            "others": 0,
            "datasets": [],
            "otherDatasets": 0,
        }
    assert "--yes: is needed where nobody can be asked: Remove the" in shell("connection", "remove", "spare", code=2)


def test_so_is_who_removes_a_secret_or_a_dataset(shell: Shell, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "till.db").close()
    shell("secret", "set", "pager-key", given="k1")
    shell("connection", "add", "till", f"sqlite:///{tmp_path}/till.db")
    made = shell.json("dataset", "create", "late", "--connection", "till", "--query", "SELECT 1 AS one")
    shell("dataset", "refresh", "late", "--wait")  # by a job that goes with the dataset
    headers = 'headers={"X-Key": {"secret": "pager-key"}}'
    page = shell.json(
        "job", "create", "--name", "Page", "--type", "api-call", "--set", "url=https://x.example", "--set", headers
    )
    stays = ("--type", "snapshot-cleanup", "--set", "keep_count=3")
    clean = [
        shell.json("job", "create", "--name", f"Clean by {key}", *stays, "--set", f'datasets=["{key}"]')
        for key in ("late", made["id"])
    ]
    asked = shell("dataset", "delete", "late", code=2)
    assert f"2 jobs work with it and fail from then on: Clean by {made['id']}, Clean by late. Delete the" in asked
    for family, act, name, jobs in (("dataset", "delete", "late", clean), ("secret", "remove", "pager-key", [page])):
        removed = shell.json(family, act, name, "--yes")
        assert {job["id"] for job in removed["jobs"]} == {job["id"] for job in jobs}
        assert (removed[f"{act}d"], removed["others"]) == (name, 0)
    shell("dataset", "create", "late", "--connection", "till", "--query", "SELECT 1 AS one")
    asked = shell("connection", "remove", "till", code=2)
    assert "1 dataset reads from it and gets no more rows from then on: late. Remove the connection 'till'?" in asked
    assert "there is no secret 'pager-key'" in shell("secret", "remove", "pager-key", "--yes", code=3)


def test_a_level_that_is_none_and_a_user_that_is_none_are_refused(shell: Shell) -> None:
    shell("job", "create", "--name", "Hourly", "--type", "command", "--set", 'command=["true"]')
    assert "reader, runner, editor, manager" in shell("job", "share", "hourly", "everyone", "--level", "boss", code=2)
    assert "no user of this account" in shell("job", "share", "hourly", "nobody", code=2)
