"""Ids as names of folders."""

from __future__ import annotations

from urllib.parse import quote


def folder_name(id_: str) -> str:
    """An id as one component of a path, the same for the same id only; it leads nowhere else."""
    name = quote(id_, safe="")
    return "%2E" + name[1:] if name.startswith(".") else name
