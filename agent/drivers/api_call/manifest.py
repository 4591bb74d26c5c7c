"""`api-call`, as the agent knows it."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.api_call.parameters import ApiCallParameters

_HELP = """\
Sends one HTTP request and checks the answer: `expect.status` lists codes or ranges, `expect.json` values by path.
Header values may be {"secret": "name", "prefix": "Bearer "}; such headers go to the first host only, not along redirects.
Every attempt of a run carries the same `Idempotency-Key`: the request goes out at least once.
No answer, 429 and 5xx are retried as the job's retry policy says; anything else is a failure.
Private addresses are refused, by name, redirect or changed DNS, unless the agent's settings allow their network."""


def _needs(parameters: ApiCallParameters) -> Needs:
    return Needs(secrets=parameters.secrets())


MANIFEST = Manifest(
    type="api-call",
    title="API call",
    help=_HELP,
    parameters=ApiCallParameters,
    entry="agent.drivers.api_call.run:run",
    preview="agent.drivers.api_call.run:preview",
    repeat_safe=False,
    needs=_needs,
    template={
        "method": "POST",
        "url": "https://example.org/hook",
        "headers": {"Authorization": {"secret": "hook-token", "prefix": "Bearer "}},
        "json": {"hello": "world"},
        "timeout": "30 s",
        "expect": {"status": ["200-299"], "json": [{"path": "ok", "equals": True}]},
    },
)
