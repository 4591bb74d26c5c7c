"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_accounts")),
        sa.UniqueConstraint("id", name=op.f("uq_accounts_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "connections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret_name", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_connections_account_id_name")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "events",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("made_through", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("interval_type", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("schedule_text", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_fire_at", sa.BigInteger(), nullable=True),
        sa.Column("high_water", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=True),
        sa.Column("zone_data_version", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "due_at",
            sa.BigInteger(),
            sa.Computed(
                "CASE WHEN enabled AND paused_at IS NULL AND deleted_at IS NULL THEN next_fire_at END", persisted=True
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_jobs")),
        sa.UniqueConstraint("id", name=op.f("uq_jobs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_due", "jobs", ["due_at"], unique=False)
    op.create_index(
        "ix_jobs_name",
        "jobs",
        ["account_id", "name_key"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_jobs_zone",
        "jobs",
        ["zone_data_version"],
        unique=False,
        sqlite_where=sa.text("next_fire_at IS NOT NULL"),
        postgresql_where=sa.text("next_fire_at IS NOT NULL"),
    )
    op.create_index(
        "uq_jobs_account_id_name",
        "jobs",
        ["account_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_jobs_account_id_slug",
        "jobs",
        ["account_id", "slug"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "knowledge_bases",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_knowledge_bases")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_knowledge_bases_account_id_name")),
        sa.UniqueConstraint("id", name=op.f("uq_knowledge_bases_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "secrets",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_secrets")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("job_name", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.Column("runs_done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "fires",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("fire_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("stands_in_fire_at", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_fires_job_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fires")),
        sa.UniqueConstraint("job_number", "fire_at", name=op.f("uq_fires_job_number_fire_at")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fires_account", "fires", ["account_id", "id"], unique=False)
    op.create_index("ix_fires_job", "fires", ["job_number", "id"], unique=False)
    op.create_index(
        "ix_fires_held",
        "fires",
        ["reason", "job_number", "fire_at"],
        unique=False,
        sqlite_where=sa.text("outcome = 'held'"),
        postgresql_where=sa.text("outcome = 'held'"),
    )
    op.create_table(
        "job_revisions",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_revisions_job_number")),
        sa.PrimaryKeyConstraint("job_number", "revision", name=op.f("pk_job_revisions")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "job_statistics",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("durations", sa.Text(), nullable=False),
        sa.Column("median", sa.Float(), nullable=False),
        sa.Column("p90", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_statistics_job_number")),
        sa.PrimaryKeyConstraint("job_number", name=op.f("pk_job_statistics")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "job_tags",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_job_tags_job_number")),
        sa.PrimaryKeyConstraint("job_number", "tag", name=op.f("pk_job_tags")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "members",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_members")),
        sa.UniqueConstraint("account_id", "user_id", name=op.f("uq_members_account_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "runs",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("fire_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("available_at", sa.BigInteger(), nullable=False),
        sa.Column("chained", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=True),
        sa.Column("worker_id", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("cancel_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_due_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("cancel_by", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("concurrency_key", sa.Text(), nullable=True),
        sa.Column("concurrency_limit", sa.Integer(), nullable=False),
        sa.Column("original_run_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_transient", sa.Boolean(), nullable=True),
        sa.Column("error_fingerprint", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state IN ('completed', 'failed', 'cancelled'))", name=op.f("ck_runs_finished")
        ),
        sa.CheckConstraint("(lease_until IS NOT NULL) = (state = 'running')", name=op.f("ck_runs_lease")),
        sa.CheckConstraint(
            "state IN ('pending', 'running', 'retrying', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_runs_state"),
        ),
        sa.CheckConstraint("(error_kind IS NULL) = (error_message IS NULL)", name=op.f("ck_runs_error")),
        sa.CheckConstraint(
            "cancel_due_at IS NULL OR "
            "(cancel_requested_at IS NOT NULL AND finished_at IS NULL AND lease_until IS NULL)",
            name=op.f("ck_runs_cancel_due"),
        ),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_runs_job_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_account", "runs", ["account_id", "number"], unique=False)
    op.create_index(
        "ix_runs_active",
        "runs",
        ["job_number", "number"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "ix_runs_available",
        "runs",
        ["available_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL AND lease_until IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL AND lease_until IS NULL"),
    )
    op.create_index(
        "ix_runs_claim",
        "runs",
        [sa.literal_column("priority DESC"), "number", "available_at"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL AND lease_until IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL AND lease_until IS NULL"),
    )
    op.create_index(
        "ix_runs_held",
        "runs",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("lease_until IS NOT NULL"),
        postgresql_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_index("ix_runs_job", "runs", ["job_number", "number", "state"], unique=False)
    op.create_index(
        "ix_runs_leaving",
        "runs",
        ["cancel_due_at"],
        unique=False,
        sqlite_where=sa.text("cancel_due_at IS NOT NULL"),
        postgresql_where=sa.text("cancel_due_at IS NOT NULL"),
    )
    op.create_index("ix_runs_state", "runs", ["account_id", "state", "number", "type"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("run_number", NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_number"], ["runs.number"], name=op.f("fk_attempts_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_number", "attempt", name=op.f("pk_attempts")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "checkpoints",
        sa.Column("run_number", NUMBER, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_number"], ["runs.number"], name=op.f("fk_checkpoints_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_number", name=op.f("pk_checkpoints")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "late_results",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("run_number", NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_number"], ["runs.number"], name=op.f("fk_late_results_run_number"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_late_results")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_late_results_run_number"), "late_results", ["run_number"], unique=False)
    op.create_table(
        "steps",
        sa.Column("run_number", NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_number"], ["runs.number"], name=op.f("fk_steps_run_number"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_number", "attempt", "position", name=op.f("pk_steps")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "run_counts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "type", "state", name=op.f("pk_run_counts")),
        sqlite_autoincrement=False,
    )
    op.create_table(
        "gone_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_gone_runs")),
        sqlite_autoincrement=False,
    )
    _sentinels()
    if op.get_bind().dialect.name == "sqlite":
        _full_text_of_sqlite()
        _counts_of_sqlite()


def _sentinels() -> None:
    op.create_table(
        "watches",
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("work_since", sa.Integer(), nullable=False),
        sa.Column("rhythm", sa.Text(), nullable=False),
        sa.Column("last_end", sa.BigInteger(), nullable=True),
        sa.Column("expected_at", sa.BigInteger(), nullable=True),
        sa.Column("overdue_at", sa.BigInteger(), nullable=True),
        sa.Column("slow_after", sa.Float(), nullable=True),
        sa.Column("history", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_watches_job_number")),
        sa.PrimaryKeyConstraint("job_number", name=op.f("pk_watches")),
        sqlite_autoincrement=False,
    )
    _partial_index("ix_watches_overdue", "watches", ["overdue_at"], "overdue_at IS NOT NULL")
    op.create_table(
        "sentinels",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("job_number", NUMBER, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_sentinels_job_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sentinels")),
        sa.UniqueConstraint("id", name=op.f("uq_sentinels_id")),
        sqlite_autoincrement=True,
    )
    is_open, is_closed = "closed_at IS NULL", "closed_at IS NOT NULL"
    _partial_index("uq_sentinels_open", "sentinels", ["job_number", "kind"], is_open, unique=True)
    _partial_index("ix_sentinels_closed", "sentinels", ["closed_at"], is_closed)
    op.create_index("ix_sentinels_account", "sentinels", ["account_id", "number"], unique=False)
    op.create_index("ix_sentinels_open", "sentinels", ["account_id", "closed_at", "number"], unique=False)
    op.create_index("ix_sentinels_job", "sentinels", ["job_number", "number"], unique=False)


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _full_text_of_sqlite() -> None:
    op.execute("CREATE VIRTUAL TABLE job_text USING fts5(name, description, tokenize = 'ascii')")
    op.execute("CREATE VIRTUAL TABLE run_text USING fts5(error, tokenize = 'ascii')")


def _counts_of_sqlite() -> None:
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
