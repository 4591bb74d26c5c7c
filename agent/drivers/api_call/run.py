"""Sends the request, follows redirects, checks the answer."""

from __future__ import annotations

from typing import Any

import httpx

from agent.core.driving import RunContext
from agent.drivers.api_call.parameters import ApiCallParameters
from agent.resources.http.answer import check
from agent.resources.http.exchange import exchange
from agent.resources.http.requests import HttpRequest, body_of, described


def run(context: RunContext, parameters: ApiCallParameters) -> dict[str, Any]:
    """DriverError(kind='unreachable' | 'timeout' | 'address_refused' | 'redirects' | 'request' | 'http_status' | 'answer')."""
    answer = exchange(context, _request(parameters))
    check(answer, parameters.expect)
    return answer.result()


def preview(_context: RunContext, parameters: ApiCallParameters) -> dict[str, Any]:
    """The request as it would go out; secrets by name."""
    return described(_request(parameters))


def _request(parameters: ApiCallParameters) -> HttpRequest:
    url = httpx.URL(parameters.url)
    if parameters.query:
        url = url.copy_merge_params(parameters.query)
    return HttpRequest.of(parameters.method, str(url), parameters, body_of(parameters.json_, parameters.text))
