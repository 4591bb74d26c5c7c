"""HAL: lists and resources with links, as contract 004 answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import URL

T = TypeVar("T")


class Link(BaseModel):
    href: str


Links = dict[str, Link]


class HalPage(BaseModel, Generic[T]):
    """A page of a list: `total` of them are there, this one begins behind the first `start`."""

    model_config = ConfigDict(populate_by_name=True)

    links: Links = Field(alias="_links")
    embedded: dict[str, list[T]] = Field(alias="_embedded")
    start: int
    count: int
    total: int


def hal_page(url: URL, name: str, items: Sequence[T], *, start: int, limit: int, total: int) -> HalPage[T]:
    """`name`: as in `inf:job`. Links to this page, and to the one behind and before it where there is one."""
    links = {"self": _link(url, {})}
    if start + len(items) < total and items:
        links["next"] = _link(url, {"start": start + len(items), "limit": limit})
    if start > 0:
        links["prev"] = _link(url, {"start": max(0, start - limit), "limit": min(limit, start)})
    return HalPage[T].model_construct(
        links=links, embedded={name: list(items)}, start=start, count=len(items), total=total
    )


def hal_list(url: URL, name: str, items: Sequence[T]) -> HalPage[T]:
    """A list that is answered whole."""
    return hal_page(url, name, items, start=0, limit=len(items), total=len(items))


def links_to(path: str, **more: str) -> Links:
    """`self`, and what hangs below it: `links_to("/api/jobs/1", **{"inf:job-history": "history"})`."""
    return {"self": Link(href=path)} | {name: Link(href=f"{path}/{place}") for name, place in more.items()}


def _link(url: URL, changed: dict[str, int]) -> Link:
    """The path and the query that was asked, with these instead."""
    query = urlencode({**dict(parse_qsl(url.query, keep_blank_values=True)), **changed})
    return Link(href=f"{url.path}?{query}" if query else url.path)
