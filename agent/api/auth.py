"""Who is calling: a token, an issuer's bearer, a session, the local socket, or nobody where a contract allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer, SecurityScopes

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
from agent.core.audit import Acting, acting, now_acts
from agent.core.callers import Caller, Scope
from shared.errors import Forbidden, Unauthenticated, Unavailable

COOKIE = "jobdeck_session"
_LONGEST_SUBJECT = 500
_HARMLESS = {"GET", "HEAD", "OPTIONS"}

# The three only describe themselves in /openapi.json; what is sent is read below, by one rule for all.
_bearer = HTTPBearer(
    auto_error=False, description="A token of `jobdeck token create`, or a JWT of a configured issuer."
)
_api_key = APIKeyHeader(name="x-api-key", auto_error=False, description="The same, in a header of its own.")
_session = APIKeyCookie(name=COOKIE, auto_error=False, description="A session of `POST /api/auth/login`.")


async def authenticate(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Security(_bearer)],
    _api_key: Annotated[object, Security(_api_key)],
    _session: Annotated[object, Security(_session)],
) -> Caller:
    """The caller, with the scopes that the route names, within its rate."""
    caller = await identify(request)
    return admit(request, caller, needed.scopes)


async def authenticate_or_anonymous(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Security(_bearer)],
    _api_key: Annotated[object, Security(_api_key)],
    _session: Annotated[object, Security(_session)],
) -> Caller:
    """For the one contract whose clients send no credentials: the settings may name whom they are."""
    caller = anonymous(request) or await identify(request)
    return admit(request, caller, needed.scopes)


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


def admit(request: Request, caller: Caller, scopes: list[str]) -> Caller:
    """The caller, if its rate and its scopes allow. Raises TooMany, Forbidden."""
    if channel_of(request.scope) is not Channel.SOCKET:
        key = request.scope[RATE_KEY] = caller.token_id or f"{caller.via}:{caller.account_id}:{caller.user_id}"
        api_of(request).rates.take(key)
    caller = replace(caller, address=sender_of(request), client=program_of(request.headers))
    now_acts(caller, *_named(request))
    caller.require(*(Scope(scope) for scope in scopes))
    return caller


def refused_caller(request: Request) -> Acting | None:
    """Whose request it is that is being refused, where that is known: of a token that opens nothing any more, too."""
    who = acting()
    if who is None:
        return None
    caller = replace(who.caller, address=sender_of(request), client=program_of(request.headers))
    return Acting(caller, *_named(request))


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


Known = Annotated[Caller, Security(authenticate)]
Reader = Annotated[Caller, Security(authenticate, scopes=[Scope.READ.value])]
Editor = Annotated[Caller, Security(authenticate, scopes=[Scope.EDIT.value])]
Runner = Annotated[Caller, Security(authenticate, scopes=[Scope.RUN.value])]
Deleter = Annotated[Caller, Security(authenticate, scopes=[Scope.DELETE.value])]
Admin = Annotated[Caller, Security(authenticate, scopes=[Scope.ADMIN.value])]
EditorOrAnonymous = Annotated[Caller, Security(authenticate_or_anonymous, scopes=[Scope.EDIT.value])]
