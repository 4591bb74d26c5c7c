"""Runs, and everything that belongs to one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from agent.store.migrations.first.making import NUMBER, partial_index


def create() -> None:
    _runs()
    _indexes_of_runs()
    _attempts()
    _checkpoints()
    _late_results()
    _steps()
    _run_counts()
    _gone_runs()


def _runs() -> None:
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
        *_rules_of_runs(),
        sa.ForeignKeyConstraint(["job_number"], ["jobs.number"], name=op.f("fk_runs_job_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_runs_id")),
        sqlite_autoincrement=True,
    )


def _rules_of_runs() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state = 'completed' OR state = 'failed' OR state = 'cancelled')",
            name=op.f("ck_runs_finished"),
        ),
        sa.CheckConstraint("state <> 'running' OR lease_until IS NOT NULL", name=op.f("ck_runs_lease")),
        sa.CheckConstraint(
            "lease_until IS NULL OR (state IN ('pending', 'running') AND worker_id IS NOT NULL)",
            name=op.f("ck_runs_leased"),
        ),
        sa.CheckConstraint(
            "(state = 'pending' OR state = 'running' OR state = 'retrying' "
            "OR state = 'completed' OR state = 'failed' OR state = 'cancelled')",
            name=op.f("ck_runs_state"),
        ),
        sa.CheckConstraint("(error_kind IS NULL) = (error_message IS NULL)", name=op.f("ck_runs_error")),
        sa.CheckConstraint(
            "cancel_due_at IS NULL OR "
            "(cancel_requested_at IS NOT NULL AND finished_at IS NULL AND lease_until IS NULL)",
            name=op.f("ck_runs_cancel_due"),
        ),
    ]


def _indexes_of_runs() -> None:
    op.create_index("ix_runs_account", "runs", ["account_id", "number", "job_number"], unique=False)
    partial_index("ix_runs_active", "runs", ["job_number", "number"], "finished_at IS NULL")
    partial_index("ix_runs_available", "runs", ["available_at"], "finished_at IS NULL AND lease_until IS NULL")
    partial_index(
        "ix_runs_claim",
        "runs",
        [sa.literal_column("priority DESC"), "number", "available_at"],
        "finished_at IS NULL AND lease_until IS NULL",
    )
    partial_index("ix_runs_held", "runs", ["lease_until"], "lease_until IS NOT NULL")
    op.create_index("ix_runs_job", "runs", ["job_number", "number", "state"], unique=False)
    partial_index("ix_runs_leaving", "runs", ["cancel_due_at"], "cancel_due_at IS NOT NULL")
    op.create_index("ix_runs_state", "runs", ["account_id", "state", "number", "type", "job_number"], unique=False)


def _attempts() -> None:
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
        sqlite_with_rowid=False,
    )


def _checkpoints() -> None:
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


def _late_results() -> None:
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


def _steps() -> None:
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


def _run_counts() -> None:
    op.create_table(
        "run_counts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "type", "state", name=op.f("pk_run_counts")),
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )


def _gone_runs() -> None:
    op.create_table(
        "gone_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_gone_runs")),
        sqlite_autoincrement=False,
    )
