"""What a role allows, and what a credential may ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.core.permissions.callers import Scope
from shared.errors import Forbidden, InvalidInput

_MEMBER = frozenset({Scope.READ, Scope.EDIT, Scope.RUN, Scope.DELETE})


def scopes_of(role: str, *, code: bool) -> frozenset[Scope]:
    """`code` comes with no role: it is given by itself."""
    held = _MEMBER | ({Scope.ADMIN} if role == "admin" else frozenset())
    return held | ({Scope.CODE} if code else frozenset())


def parse_scopes(scopes: Sequence[str], field: str = "scopes") -> frozenset[Scope]:
    """InvalidInput names what is no scope; at least one is needed."""
    known = ", ".join(scope.value for scope in Scope)
    for scope in scopes:
        if scope not in set(Scope):
            raise InvalidInput.one(field, f"'{scope}' is none; there are {known}", scope)
    if not scopes:
        raise InvalidInput.one(field, f"name at least one of {known}")
    return frozenset(Scope(scope) for scope in scopes)


def require_held(asked: Iterable[Scope], held: frozenset[Scope], whose: str) -> None:
    """Forbidden for the first scope that is asked for and not held."""
    for scope in Scope:
        if scope in asked and scope not in held:
            raise Forbidden(f"the scope '{scope}' cannot be given: {whose} does not have it")
