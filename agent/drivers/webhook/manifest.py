"""`webhook`, as the agent knows it."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.webhook.parameters import WebhookParameters

_HELP = """\
Posts to a URL: `json` or `text`, whose texts are templates ({{ job.name }}, {{ results.main.rows_synced }}, {{ run.id }});
neither of them: the run and the results of the steps before, as JSON.
Headers, `timeout`, `redirects` and `expect` are as in api-call. Every attempt carries the same `Idempotency-Key`, made of
run and action: it goes out at least once."""


def _needs(parameters: WebhookParameters) -> Needs:
    return Needs(secrets=parameters.secrets())


MANIFEST = Manifest(
    type="webhook",
    title="Webhook",
    help=_HELP,
    parameters=WebhookParameters,
    entry="agent.drivers.webhook.run:run",
    repeat_safe=False,
    needs=_needs,
    check="agent.drivers.webhook.run:check",
    preview="agent.drivers.webhook.run:preview",
    action_only=True,
    template={
        "url": "https://example.org/hook",
        "headers": {"Authorization": {"secret": "hook-token", "prefix": "Bearer "}},
        "json": {"text": "{{ job.name }}: {{ results.main | tojson }}"},
        "timeout": "30 s",
    },
)
