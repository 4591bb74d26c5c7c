"""Who is calling: a token, an issuer's bearer, a session, the local socket, or nobody where a contract allows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from agent.api.context import api_of
from agent.api.peers import (
    Channel,
    address_of,
    channel_of,
    host_name,
    is_loopback_name,
    is_loopback_peer,
    program_of,
    was_forwarded,
)
from agent.api.rates import RATE_KEY
from agent.core.permissions.audit import Acting, acting, now_acts
from agent.core.permissions.callers import Caller, Scope
from shared.errors import Forbidden, Unauthenticated, Unavailable

COOKIE = "jobdeck_session"
_LONGEST_SUBJECT = 500
_HARMLESS = {"GET", "HEAD", "OPTIONS"}

SCHEMES = {
    "HTTPBearer": {
        "type": "http",
        "description": "A token of `jobdeck token create`, or a JWT of a configured issuer.",
        "scheme": "bearer",
    },
    "APIKeyHeader": {
        "type": "apiKey",
        "description": "The same, in a header of its own.",
        "in": "header",
        "name": "x-api-key",
    },
    "APIKeyCookie": {
        "type": "apiKey",
        "description": "A session of `POST /api/auth/login`.",
        "in": "cookie",
        "name": COOKIE,
    },
}
"""What may be sent, as /openapi.json says it; any of them opens every door."""


class Door:
    """A dependency: the caller, with these scopes, within its rate. description.py declares it from here.

    One for all that may be sent: FastAPI would go through each scheme by itself at each request, to no end."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes = scopes

    async def __call__(self, request: Request) -> Caller:
        return admit(request, await identify(request), self.scopes)


class OpenDoor(Door):
    """For the one contract whose clients send no credentials: the settings may name whom they are."""

    async def __call__(self, request: Request) -> Caller:
        return admit(request, anonymous(request) or await identify(request), self.scopes)


async def identify(request: Request, *, is_use: bool = True) -> Caller:
    """Credentials that are sent count, on the socket too; without any, the socket's user. Raises Unauthenticated.

    Not `is_use`: asked again for a request that goes on; nothing is noted, no session lasts longer for it.
    """
    gate = api_of(request).gate
    token = _token(request)
    if token is not None:
        return await gate.by_bearer(token, is_use=is_use)
    cookie = request.cookies.get(COOKIE)
    if cookie is not None:
        _require_own_page(request)
        return await gate.by_session(cookie, is_use=is_use)
    if channel_of(request.scope) is Channel.SOCKET:
        return gate.local()
    raise Unauthenticated("no credentials: send 'Authorization: Bearer <token>' or 'x-api-key: <token>', or log in")


async def let_in(request: Request) -> Caller | None:
    """Whom what the request came with would still let in to read, asked while it goes on; None: nobody."""
    try:
        caller = await identify(request, is_use=False)
    except (Unauthenticated, Unavailable):
        return None
    return caller if Scope.READ in caller.scopes else None


def anonymous(request: Request) -> Caller | None:
    """The anonymous caller, only for a loopback peer that asks a loopback Host directly and sends no credentials."""
    direct = is_loopback_peer(request.scope) and not was_forwarded(request.headers)
    local = is_loopback_name(host_name(request.headers.get("host", "")))
    sent = _token(request) is not None or COOKIE in request.cookies
    if sent or channel_of(request.scope) is not Channel.TCP or not (direct and local):
        return None
    return api_of(request).gate.anonymous()


def admit(request: Request, caller: Caller, scopes: Sequence[Scope]) -> Caller:
    """The caller, if its rate and its scopes allow. Raises TooMany, Forbidden."""
    if channel_of(request.scope) is not Channel.SOCKET:
        key = request.scope[RATE_KEY] = caller.token_id or f"{caller.via}:{caller.account_id}:{caller.user_id}"
        api_of(request).rates.take(key)
    caller = replace(caller, address=sender_of(request), client=program_of(request.headers))
    now_acts(caller, *_named(request))
    caller.require(*scopes)
    return caller


def refused_caller(request: Request) -> Acting | None:
    """Whose request it is that is being refused, where that is known: of a token that opens nothing any more, too."""
    who = acting()
    if who is None:
        return None
    caller = replace(who.caller, address=sender_of(request), client=program_of(request.headers))
    return replace(who, caller=caller) if who.is_nobody else Acting(caller, *_named(request))


def _named(request: Request) -> tuple[str, str]:
    """The operation, as /openapi.json calls it, and what its path names."""
    route = request.scope.get("route")
    subject = "/".join(str(value) for value in request.path_params.values())
    return str(getattr(route, "name", request.method)), subject[:_LONGEST_SUBJECT]


def sender_of(request: Request) -> str | None:
    """Where the request came from, beyond the proxies that the settings trust; None over the socket."""
    return address_of(request.scope, request.headers, api_of(request).core.settings.trusted_proxies)


def _require_own_page(request: Request) -> None:
    """A browser sends the cookie whoever made it ask: what changes anything must say that our own page did. Origins of
    other sites are refused at the door; here, those that say nothing."""
    site = request.headers.get("sec-fetch-site")
    says_so = site == "same-origin" or (site is None and "origin" in request.headers)
    if request.method not in _HARMLESS and not says_so:
        raise Forbidden("a session changes things from the agent's own pages only; other programs send a token")


def _token(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return request.headers.get("x-api-key")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("the Authorization header must read 'Bearer <token>'")
    return token.strip()


Known = Annotated[Caller, Depends(Door())]
Reader = Annotated[Caller, Depends(Door(Scope.READ))]
Editor = Annotated[Caller, Depends(Door(Scope.EDIT))]
Runner = Annotated[Caller, Depends(Door(Scope.RUN))]
Deleter = Annotated[Caller, Depends(Door(Scope.DELETE))]
Admin = Annotated[Caller, Depends(Door(Scope.ADMIN))]
EditorOrAnonymous = Annotated[Caller, Depends(OpenDoor(Scope.EDIT))]
