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
    `/api/runs`, in their order; where a path is of no such place, among all."""

    def __init__(self, router: APIRouter) -> None:
        self._all = router
        self._at: dict[_Place, APIRouter] = {}
        paths = [(route, getattr(route, "path", "")) for route in router.routes]
        for place in {_place(path) for _, path in paths}:
            if "{" not in place[1] + place[2]:
                there = [route for route, path in paths if _may_be(path, place)]
                self._at[place] = APIRouter(routes=there, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        router = self._at.get(_place(scope["path"]), self._all) if scope["type"] == "http" else self._all
        await router.app(scope, receive, send)


def _place(path: str) -> _Place:
    parts = path.split("/")
    return len(parts), parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""


def _may_be(path: str, place: _Place) -> bool:
    """Whether a route of that path can be one of the place; a parameter can be any part, and one of paths many."""
    count, *named = _place(path)
    return ":" in path or (count == place[0] and all(_fits(*each) for each in zip(named, place[1:], strict=True)))


def _fits(declared: str, part: str) -> bool:
    return declared == part or "{" in declared
