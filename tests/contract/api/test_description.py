"""What /openapi.json says of bodies: each under a name of its own."""

from __future__ import annotations

from fastapi.routing import APIRoute
from pydantic import BaseModel

from agent.api.bodies import JsonBody
from agent.api.description import _dependencies, describe
from tests.harness.agent import RunningAgent


async def test_no_two_bodies_go_by_one_name(agent: RunningAgent) -> None:
    """The later one would be described in the place of the other."""
    named: dict[str, set[type[BaseModel]]] = {}
    for route in agent.agent.api.routes:
        for body in _dependencies(route.dependant, JsonBody) if isinstance(route, APIRoute) else ():
            named.setdefault(body.model.__name__, set()).add(body.model)
    assert not {name: models for name, models in named.items() if len(models) > 1}
    assert named.keys() <= describe(agent.agent.api)["components"]["schemas"].keys()
