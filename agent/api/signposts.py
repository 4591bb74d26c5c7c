"""Where a path leads: only the routes that it can be of are looked through, not all there are.

FastAPI tries one after the other, and an agent has some two hundred.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.types import Receive, Scope, Send

_Place = tuple[int, str, str]
"""How many parts a path has, and the first two of them."""


class Signposts:
    """What `router` would do, sooner. `/api/runs/{run_id}` is looked for among the routes of three parts that begin with
    `/api/runs`, in their order; where a path is of no such place, among all.
    A parameter of paths can be many parts: its route is at every place."""

    def __init__(self, router: APIRouter) -> None:
        self._all = router
        paths = [(route, getattr(route, "path", "")) for route in router.routes]
        self._declared = [(route, _place(path), ":" in path) for route, path in paths]
        self._places = {place for _, place, _ in self._declared if "{" not in place[1] + place[2]}
        self._at: dict[_Place, APIRouter] = {}
        """Of the places that were asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        router = self._router(_place(scope["path"])) if scope["type"] == "http" else self._all
        await router.app(scope, receive, send)

    def _router(self, place: _Place) -> APIRouter:
        if place not in self._places:
            return self._all
        if place not in self._at:
            there = [route for route, at, is_long in self._declared if is_long or _covers(at, place)]
            self._at[place] = APIRouter(routes=there, redirect_slashes=False)
        return self._at[place]


def _place(path: str) -> _Place:
    parts = path.split("/")
    return len(parts), parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""


def _covers(declared: _Place, place: _Place) -> bool:
    """Whether a route that is declared there can be one of the place; a parameter can be any part."""
    return declared[0] == place[0] and _fits(declared[1], place[1]) and _fits(declared[2], place[2])


def _fits(declared: str, part: str) -> bool:
    return declared == part or "{" in declared
