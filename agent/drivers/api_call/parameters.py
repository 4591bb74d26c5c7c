"""Parameters of `api-call`."""

from __future__ import annotations

from typing import Literal

from agent.resources.http.parameters import RequestParameters


class ApiCallParameters(RequestParameters):
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    query: dict[str, str | int | float | bool | list[str]] = {}
