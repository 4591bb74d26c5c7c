"""What every route works with, reached through the request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from agent.api.broadcast import Broadcast
from agent.api.errors import Envelopes
from agent.api.metrics import RequestMetrics
from agent.api.rates import Rates
from agent.core.identity.gate import Gate
from agent.core.operations import Core


@dataclass(frozen=True, slots=True)
class Api:
    core: Core
    gate: Gate
    rates: Rates
    broadcast: Broadcast
    metrics: RequestMetrics
    envelopes: Envelopes


def api_of(connection: HTTPConnection) -> Api:
    api = connection.app.state.api
    assert isinstance(api, Api)
    return api
