"""The room that the store's file takes. What is deleted leaves free pages, which new rows take first; where they are
more than rows will need soon, they are given back to the disk, a few in each transaction."""

from __future__ import annotations

import sqlalchemy as sa

from agent.core.records import StoreSize

AT_ONCE = 500
"""Pages of 4 KiB."""
KEPT_FREE = 0.25
"""The part of the file that may be free."""
_WORTH = 64 * 2**20
"""Bytes: less is not given back."""


def size(connection: sa.Connection) -> StoreSize:
    page, pages, free = (_pragma(connection, name) for name in ("page_size", "page_count", "freelist_count"))
    return StoreSize(page * pages, page * free)


def give_back(connection: sa.Connection) -> bool:
    """True if there is more to give back."""
    if not _is_worth_it(size(connection)):
        return False
    # The pragma goes page by page as its rows are fetched, and says that it has none.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({AT_ONCE})")
    cursor.fetchall()
    cursor.close()
    return _is_worth_it(size(connection))


def _is_worth_it(now: StoreSize) -> bool:
    return now.free > max(_WORTH, KEPT_FREE * now.total)


def _pragma(connection: sa.Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
