"""What only SQLite has: full text, and counts kept by triggers."""

from __future__ import annotations

from alembic import op


def create() -> None:
    _full_text()
    _counts()


def _full_text() -> None:
    op.execute("CREATE VIRTUAL TABLE job_text USING fts5(name, description, tokenize = 'ascii')")
    op.execute("CREATE VIRTUAL TABLE run_text USING fts5(error, tokenize = 'ascii')")


def _counts() -> None:
    count_up = (
        "INSERT INTO run_counts (account_id, type, state, count) VALUES (NEW.account_id, NEW.type, NEW.state, 1) "
        "ON CONFLICT (account_id, type, state) DO UPDATE SET count = count + 1"
    )
    op.execute(
        f"CREATE TRIGGER run_counts_insert AFTER INSERT ON runs WHEN NEW.finished_at IS NOT NULL BEGIN {count_up}; END"
    )
    op.execute(
        "CREATE TRIGGER run_counts_update AFTER UPDATE OF state ON runs "
        f"WHEN NEW.finished_at IS NOT NULL AND OLD.finished_at IS NULL BEGIN {count_up}; END"
    )
    op.execute(
        "CREATE TRIGGER run_counts_delete AFTER DELETE ON runs WHEN NOT (OLD.finished_at IS NULL) BEGIN "
        "UPDATE run_counts SET count = count - 1 "
        "WHERE account_id = OLD.account_id AND type = OLD.type AND state = OLD.state; END"
    )
