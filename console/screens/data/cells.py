"""Connections, datasets, knowledge bases and secrets, as rows and in lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from console.render.ages import age
from console.render.amounts import byte_size, count
from console.render.look import Look
from console.render.spans import clock_time
from console.widgets.line import safe_text
from console.widgets.table import Column

if TYPE_CHECKING:
    from shared.models import Connection, KnowledgeBase, Secret
    from shared.models.dataset import Dataset

CONNECTIONS = (
    Column("name", "Connection", 16, flex=1),
    Column("kind", "Kind", 11),
    Column("url", "Where", 24, flex=3),
    Column("seen", "Seen by", 8, priority=1),
)
DATASETS = (
    Column("name", "Dataset", 16, flex=2),
    Column("from", "From", 12, flex=1),
    Column("rows", "Rows", 10, align="right"),
    Column("snapshots", "Snapshots", 9, align="right", priority=1),
    Column("when", "Refreshed", 10, align="right"),
)
BASES = (
    Column("name", "Knowledge base", 16, flex=2),
    Column("rows", "Rows", 10, align="right"),
    Column("embedder", "Embedder", 14, flex=1),
    Column("when", "Changed", 10, align="right"),
)
SECRETS = (Column("name", "Secret", 20, flex=1), Column("seen", "Seen by", 8), Column("when", "Set", 10, align="right"))  # fmt: skip


def connection_cells(each: Connection, look: Look) -> Sequence[Text]:
    muted = look.palette.muted
    return safe_text(each.name), Text(each.kind, muted), safe_text(each.url), Text(_seen_by(each.visibility), muted)


def describe_connection(each: Connection, now: datetime, look: Look) -> list[Text]:
    secret = f"password in the secret {each.secret_name!r}" if each.secret_name else "without a password"
    made = f"{secret} · made {clock_time(each.created_at, now)} · {each.id}"
    return [safe_text(each.url), safe_text(made, look.palette.muted)]


def dataset_cells(each: Dataset, now: datetime, look: Look) -> Sequence[Text]:
    muted, latest = look.palette.muted, each.snapshot
    return (
        safe_text(each.name),
        safe_text(each.connection or "imported", muted),
        Text(f"{latest.rows:,}" if latest else "–"),
        Text(f"{each.snapshots:,}", muted),
        Text(age(latest.created_at, now) if latest else "never", muted),
    )


def describe_dataset(each: Dataset, now: datetime, look: Look) -> list[Text]:
    latest = each.snapshot
    what = (
        f"{count(latest.rows, 'row')}, {byte_size(latest.bytes)}, of {clock_time(latest.created_at, now)}: "
        + ", ".join(f"{column.name} {column.type}" for column in latest.columns)
        if latest
        else "never refreshed: r does it now"
    )
    lines = [safe_text(each.query or each.description or "filled by imports"), safe_text(what, look.palette.muted)]
    return [*lines, safe_text(each.description, look.palette.muted)] if each.query and each.description else lines


def base_cells(each: KnowledgeBase, now: datetime, look: Look) -> Sequence[Text]:
    muted = look.palette.muted
    return (
        safe_text(each.name),
        Text(f"{each.rows:,}"),
        safe_text(each.embedder, muted),
        Text(age(each.updated_at, now), muted),
    )


def describe_base(each: KnowledgeBase, now: datetime, look: Look) -> list[Text]:
    facts = f"generation {each.generation} · number {each.number} · made {clock_time(each.created_at, now)} · {each.id}"
    first = f"{count(each.rows, 'row')}, {each.dimensions} dimensions by {each.embedder}"
    return [safe_text(first), safe_text(facts, look.palette.muted)]


def secret_cells(each: Secret, now: datetime, look: Look) -> Sequence[Text]:
    muted = look.palette.muted
    return safe_text(each.name), Text(_seen_by(each.visibility), muted), Text(age(each.updated_at, now), muted)


def describe_secret(each: Secret, now: datetime, look: Look) -> list[Text]:
    return [
        safe_text(f"set {clock_time(each.updated_at, now)}; its value is never shown"),
        safe_text(f"a new value: jobdeck secret set {each.name}", look.palette.muted),
    ]


def _seen_by(visibility: str) -> str:
    return "all" if visibility == "account" else visibility
