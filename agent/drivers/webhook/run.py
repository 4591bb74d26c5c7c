"""Renders the body, posts it, checks the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.core.driving import DriverError, RunContext
from agent.drivers.webhook.parameters import WebhookParameters, filled, texts_of
from agent.resources.http.answer import check as check_answer
from agent.resources.http.exchange import exchange
from agent.resources.http.requests import Body, HttpRequest, body_of, described
from agent.resources.templates.rendering import TemplateError, check_templates, render, values_of
from shared.errors import InvalidInput


def run(context: RunContext, parameters: WebhookParameters) -> dict[str, Any]:
    """DriverError(kind='template' | 'unreachable' | 'timeout' | 'address_refused' | 'redirects' | 'request' |
    'http_status' | 'answer')."""
    answer = exchange(context, _request(context, parameters))
    check_answer(answer, parameters.expect)
    return answer.result()


def preview(context: RunContext, parameters: WebhookParameters) -> dict[str, Any]:
    """The request as it would go out; secrets by name."""
    return described(_request(context, parameters))


def check(parameters: WebhookParameters, _connections: Mapping[str, Any], _bases: Mapping[str, Any]) -> None:
    """InvalidInput at the text whose template cannot be read."""
    try:
        check_templates(texts_of(parameters))
    except TemplateError as error:
        raise InvalidInput.one(f"data.{error.template}", error.message) from None


def _request(context: RunContext, parameters: WebhookParameters) -> HttpRequest:
    return HttpRequest.of("POST", parameters.url, parameters, _body(context, parameters))


def _body(context: RunContext, parameters: WebhookParameters) -> Body | None:
    values = values_of(context, parameters.params)
    if parameters.json_ is None and parameters.text is None:
        return body_of(values, None)
    try:
        texts = render(texts_of(parameters), values)
    except TemplateError as error:
        raise DriverError("template", f"{error.template}: {error.message}") from None
    return body_of(filled(parameters.json_, "json", texts), texts.get("text"))
