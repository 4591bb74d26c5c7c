"""Bringing a store's schema to where this version of Jobdeck expects it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from shared.errors import Conflict

HEAD = "0001"
"""The newest migration. A test compares it with what stands in `migrations/versions`."""

_HERE = Path(__file__).parent


def bring_up(connection: sa.Connection) -> None:
    """Run the migrations that are missing; Conflict if the store was made by a newer Jobdeck."""
    version = current(connection)
    if version == HEAD:
        return
    if version is not None and not is_known(version):
        raise Conflict(f"the store was made by a newer Jobdeck (schema {version}, known up to {HEAD}); upgrade Jobdeck")
    _migrate(connection)


def is_known(version: str) -> bool:
    """Whether this Jobdeck has the migration: it can work on such a store, or bring it up."""
    return any(path.name.startswith(f"{version}_") for path in (_HERE / "migrations" / "versions").glob("[0-9]*.py"))


def current(connection: sa.Connection) -> str | None:
    """The newest migration that the store has had; None before the first."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def _migrate(connection: sa.Connection) -> None:
    # Alembic takes longer to load than the store to open; only here is it needed.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_HERE / "migrations"))
    command.upgrade(config, "head")
