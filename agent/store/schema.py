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
    current = _current(connection)
    if current == HEAD:
        return
    if current is not None and not list((_HERE / "migrations" / "versions").glob(f"{current}_*.py")):
        raise Conflict(f"the store was made by a newer Jobdeck (schema {current}, known up to {HEAD}); upgrade Jobdeck")
    _migrate(connection)


def _current(connection: sa.Connection) -> str | None:
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
