"""Who is calling: a token, the local socket, or nobody where a contract allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes

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
from agent.core.callers import Caller, Scope
from shared.errors import Unauthenticated

# The two only describe themselves in /openapi.json; the headers are read below, by one rule for both.
_bearer = HTTPBearer(auto_error=False, description="A token of `jobdeck token create`.")
_api_key = APIKeyHeader(name="x-api-key", auto_error=False, description="The same token, in a header of its own.")


async def authenticate(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Security(_bearer)],
    _api_key: Annotated[object, Security(_api_key)],
) -> Caller:
    """The caller, with the scopes that the route names, within its rate."""
    caller = await identify(request)
    return admit(request, caller, needed.scopes)


async def authenticate_or_anonymous(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Security(_bearer)],
    _api_key: Annotated[object, Security(_api_key)],
) -> Caller:
    """For the one contract whose clients send no credentials: the settings may name whom they are."""
    caller = anonymous(request) or await identify(request)
    return admit(request, caller, needed.scopes)


async def identify(request: Request) -> Caller:
    """Credentials that are sent count, on the socket too; without any, the socket's user. Raises Unauthenticated."""
    gate = api_of(request).gate
    token = _token(request)
    if token is not None:
        return await gate.by_token(token)
    if channel_of(request.scope) is Channel.SOCKET:
        return gate.local()
    raise Unauthenticated("no credentials: send 'Authorization: Bearer <token>' or 'x-api-key: <token>'")


def anonymous(request: Request) -> Caller | None:
    """The anonymous caller, only for a loopback peer that asks a loopback Host directly and sends no credentials."""
    direct = is_loopback_peer(request.scope) and not was_forwarded(request.headers)
    local = is_loopback_name(host_name(request.headers.get("host", "")))
    if _token(request) is not None or channel_of(request.scope) is not Channel.TCP or not (direct and local):
        return None
    return api_of(request).gate.anonymous()


def admit(request: Request, caller: Caller, scopes: list[str]) -> Caller:
    """The caller, if its rate and its scopes allow. Raises TooMany, Forbidden."""
    if channel_of(request.scope) is not Channel.SOCKET:
        key = request.scope[RATE_KEY] = caller.token_id or f"{caller.via}:{caller.account_id}"
        api_of(request).rates.take(key)
    caller.require(*(Scope(scope) for scope in scopes))
    return replace(caller, address=address_of(request.scope), client=program_of(request.headers))


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
