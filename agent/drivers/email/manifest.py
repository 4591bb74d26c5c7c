"""`email`, as the agent knows it."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.email.parameters import EmailParameters

_HELP = """\
Sends a mail. `subject`, `text` and `html` are templates: {{ job.name }}, {{ run.id }}, {{ results.main.rows_synced }},
{{ states.main }}, {{ params.… }}. Without `server` it goes by the mail server of the agent's settings.
As an action it takes attachments: uploaded files, the end of the run's log, results of steps as JSON or CSV.
Who of several is refused is a warning; no connection and answers of 4xx are retried, 5xx are not.
Every attempt has the same Message-ID, made of run and action: the mail goes out at least once."""


def _needs(parameters: EmailParameters) -> Needs:
    if parameters.server is None:
        return Needs(mail_server=True)
    return Needs(secrets=(parameters.server.secret,) if parameters.server.secret else ())


MANIFEST = Manifest(
    type="email",
    title="Email",
    help=_HELP,
    parameters=EmailParameters,
    entry="agent.drivers.email.run:run",
    repeat_safe=False,
    needs=_needs,
    check="agent.drivers.email.run:check",
    preview="agent.drivers.email.run:preview",
    takes_attachments=True,
    template={
        "to": ["operations@example.org"],
        "subject": "{{ job.name }} is through",
        "text": "Run {{ run.id }} of {{ job.name }} is through.\n",
    },
)
