"""A request that is to go out, with its secrets still by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agent.resources.http.parameters import RequestParameters, Secret

EXCERPT = 16 * 1024
"""Characters of a body that a preview shows."""


@dataclass(frozen=True, slots=True)
class Body:
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`limit`: seconds for the whole exchange. Headers are named in lower case."""

    method: str
    url: str
    headers: dict[str, str | Secret]
    body: Body | None
    limit: float
    redirects: int

    @classmethod
    def of(cls, method: str, url: str, parameters: RequestParameters, body: Body | None) -> HttpRequest:
        headers: dict[str, str | Secret] = {} if body is None else {"content-type": body.kind}
        headers |= {name.lower(): value for name, value in parameters.headers.items()}
        return cls(method, url, headers, body, parameters.timeout.total_seconds(), parameters.redirects)


def body_of(value: Any, text: str | None) -> Body | None:
    """As JSON, or as text."""
    if value is not None:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Body(written.encode("utf-8", "replace"), "application/json")
    return None if text is None else Body(text.encode("utf-8", "replace"), "text/plain; charset=utf-8")


def described(request: HttpRequest) -> dict[str, Any]:
    """As a preview shows it: nothing of a secret but its name."""
    shown = {
        name: f"{value.prefix}<secret {value.secret}>" if isinstance(value, Secret) else value
        for name, value in request.headers.items()
    }
    body = request.body.content.decode("utf-8", "replace") if request.body else None
    return {
        "method": request.method,
        "url": request.url,
        "headers": shown,
        "body": body[:EXCERPT] if body is not None else None,
        "bytes": len(request.body.content) if request.body else 0,
    }
