"""What only SQLite has: full text, and what triggers keep."""

# ruff: noqa: S608  (its statements are its own, made of constants)
from __future__ import annotations

from alembic import op


def create() -> None:
    _full_text()
    _counts()
    _readers()


def _full_text() -> None:
    op.execute("CREATE VIRTUAL TABLE job_text USING fts5(name, description, tokenize = 'ascii')")
    op.execute("CREATE VIRTUAL TABLE run_text USING fts5(error, tokenize = 'ascii')")


def _counts() -> None:
    count_up = (
        "INSERT INTO run_counts (account_id, type, state, count) VALUES (NEW.account_id, NEW.type, NEW.state, 1) "
        "ON CONFLICT (account_id, type, state) DO UPDATE SET count = count + 1; "
        "INSERT INTO job_counts (job_number, type, state, count) VALUES (NEW.job_number, NEW.type, NEW.state, 1) "
        "ON CONFLICT (job_number, type, state) DO UPDATE SET count = count + 1;"
    )
    op.execute(
        f"CREATE TRIGGER run_counts_insert AFTER INSERT ON runs WHEN NEW.finished_at IS NOT NULL BEGIN {count_up} END"
    )
    op.execute(
        "CREATE TRIGGER run_counts_update AFTER UPDATE OF state ON runs "
        f"WHEN NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL BEGIN {count_up} END"
    )
    op.execute(
        "CREATE TRIGGER run_counts_delete AFTER DELETE ON runs WHEN NOT (OLD.finished_at IS NULL) BEGIN "
        "UPDATE run_counts SET count = count - 1 "
        "WHERE account_id = OLD.account_id AND type = OLD.type AND state = OLD.state; "
        "UPDATE job_counts SET count = count - 1 "
        "WHERE job_number = OLD.job_number AND type = OLD.type AND state = OLD.state; END"
    )


def _readers() -> None:
    add = "INSERT OR IGNORE INTO job_readers (account_id, principal_id, job_number)"
    owner = f"{add} VALUES (NEW.account_id, NEW.owner_id, NEW.number);"
    op.execute(f"CREATE TRIGGER job_readers_made AFTER INSERT ON jobs BEGIN {owner} END")
    op.execute(
        "CREATE TRIGGER job_readers_given AFTER UPDATE OF owner_id ON jobs BEGIN "
        "DELETE FROM job_readers WHERE account_id = OLD.account_id AND principal_id = OLD.owner_id "
        "AND job_number = OLD.number AND NOT EXISTS (SELECT 1 FROM shares WHERE account_id = OLD.account_id "
        f"AND kind = 'job' AND subject_id = OLD.id AND principal_id = OLD.owner_id); {owner} END"
    )
    op.execute(
        "CREATE TRIGGER job_readers_shared AFTER INSERT ON shares WHEN NEW.kind = 'job' BEGIN "
        f"{add} SELECT NEW.account_id, NEW.principal_id, number FROM jobs "
        "WHERE id = NEW.subject_id AND account_id = NEW.account_id; END"
    )
    op.execute(
        "CREATE TRIGGER job_readers_unshared AFTER DELETE ON shares WHEN OLD.kind = 'job' BEGIN "
        "DELETE FROM job_readers WHERE account_id = OLD.account_id AND principal_id = OLD.principal_id "
        "AND job_number IN (SELECT number FROM jobs WHERE id = OLD.subject_id AND account_id = OLD.account_id "
        "AND owner_id <> OLD.principal_id); END"
    )
