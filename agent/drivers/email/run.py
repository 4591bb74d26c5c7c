"""Renders the mail and hands it to its server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.drivers.email.parameters import EmailParameters
from agent.resources.mail.addresses import parse_address
from agent.resources.mail.attaching import parts_of
from agent.resources.mail.message import Mail, Part, one_line
from agent.resources.templates.rendering import TemplateError, check_templates, render, values_of
from shared.errors import InvalidInput
from shared.models import MailServer


def run(context: RunContext, parameters: EmailParameters) -> dict[str, Any]:
    """DriverError(kind='template' | 'attachment' | 'sender' | 'unreachable' | 'timeout' | 'address_refused' | 'tls' |
    'login' | 'refused')."""
    from agent.resources.mail.sending import Way, send

    server = _server(context, parameters)
    mail = _mail(context, parameters, server, parts_of(context))
    content = mail.written().as_bytes()
    trusted = parameters.server is None or server.host in context.smtp_hosts
    password = context.secret(server.secret) if server.secret else None
    way = Way(server, password, trusted, parameters.timeout.total_seconds())
    context.log(f"{mail.message_id} to {', '.join(mail.recipients)}, {len(content)} bytes, by {server.host}:{way.port}")
    delivery = send(context, mail, content, way)
    for address, said in delivery.refused.items():
        context.warn(f"{address} was refused: {said}")
    context.log(f"accepted for {len(delivery.accepted)} of {len(mail.recipients)}: {delivery.answer}")
    return {
        "message_id": mail.message_id,
        "accepted": delivery.accepted,
        "refused": delivery.refused,
        "subject": one_line(mail.subject),
        "bytes": len(content),
        "attachments": [part.name for part in mail.parts],
    }


def preview(context: RunContext, parameters: EmailParameters) -> dict[str, Any]:
    """The mail as it would go out; of datasets, which have their rows when it does, the name."""
    server = _server(context, parameters)
    mail = _mail(context, parameters, server, parts_of(context, without=["dataset"]))
    later = [each.name for each in context.attachments if each.type == "dataset"]
    return {
        "server": f"{server.host}:{server.port}" if server.port else server.host,
        "from": mail.sender,
        "to": list(mail.to),
        "cc": list(mail.cc),
        "bcc": list(mail.bcc),
        "subject": one_line(mail.subject),
        "text": mail.text,
        "html": mail.html,
        "attachments": [
            *({"name": part.name, "type": part.kind, "bytes": len(part.content)} for part in mail.parts),
            *({"name": name, "type": "dataset", "bytes": None} for name in later),
        ],
        "bytes": len(mail.written().as_bytes()),
        "message_id": mail.message_id,
    }


def check(parameters: EmailParameters, _connections: Mapping[str, Any], _bases: Mapping[str, Any]) -> None:
    """InvalidInput at the template that cannot be read."""
    try:
        check_templates(parameters.templates())
    except TemplateError as error:
        raise InvalidInput.one(f"data.{error.template}", error.message) from None


def _server(context: RunContext, parameters: EmailParameters) -> MailServer:
    server = parameters.server or context.mail_server
    if server is None:
        raise DriverError("server", "the job names no mail server, and the agent's settings have none (`smtp`)")
    return server


def _mail(context: RunContext, parameters: EmailParameters, server: MailServer, parts: Sequence[Part]) -> Mail:
    try:
        texts = render(parameters.templates(), values_of(context, parameters.params), html=["html"])
    except TemplateError as error:
        raise DriverError("template", f"{error.template}: {error.message}") from None
    return Mail(
        key=context.idempotency_key,
        sender=_sender(parameters, server),
        subject=texts["subject"],
        at=context.clock.now(),
        to=parameters.to,
        cc=parameters.cc,
        bcc=parameters.bcc,
        reply_to=parameters.reply_to,
        text=texts.get("text"),
        html=texts.get("html"),
        parts=parts,
    )


def _sender(parameters: EmailParameters, server: MailServer) -> str:
    sender = parameters.sender or server.sender or ""
    try:
        parse_address(sender)
    except ValueError as error:
        raise DriverError("sender", f"`from` of the mail, or of its server: {error}") from None
    return sender
