"""What may be given: never more than both have; what a claim's words become."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.identity.bearers import Proven, claim
from agent.core.identity.foreign import _scopes
from agent.core.identity.scopes import parse_scopes, require_held, scopes_of
from agent.core.identity.tokens import parse_expiry
from agent.core.permissions.callers import Scope
from agent.identity_settings import IssuerSettings
from shared.errors import Forbidden, InvalidInput
from tests.harness.long import examples

SCOPES = st.frozensets(st.sampled_from(list(Scope)), min_size=1)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@examples(25)
@given(asked=SCOPES, held=SCOPES)
def test_what_is_not_held_is_not_given(asked: frozenset[Scope], held: frozenset[Scope]) -> None:
    if asked <= held:
        require_held(asked, held, "it")
        return
    with pytest.raises(Forbidden) as refused:
        require_held(asked, held, "it")
    assert any(f"'{scope}'" in str(refused.value) for scope in asked - held)


@examples(25)
@given(names=st.lists(st.sampled_from([str(scope) for scope in Scope]) | st.text()))
def test_what_is_no_scope_is_named(names: list[str]) -> None:
    wrong = [name for name in names if name not in set(Scope)]
    if names and not wrong:
        assert {str(scope) for scope in parse_scopes(names)} == set(names)
        return
    with pytest.raises(InvalidInput) as refused:
        parse_scopes(names)
    assert refused.value.faults[0].value == (wrong[0] if wrong else None)


@pytest.mark.parametrize(
    ("role", "code", "missing"),
    [
        ("member", False, {Scope.ADMIN, Scope.CODE}),
        ("member", True, {Scope.ADMIN}),
        ("admin", False, {Scope.CODE}),
        ("admin", True, set()),
    ],
)
def test_a_role_has_all_but(role: str, code: bool, missing: set[Scope]) -> None:
    assert scopes_of(role, code=code) == frozenset(Scope) - missing


def proven(claims: dict[str, Any], **fields: Any) -> Proven:
    given = {"issuer": "i", "audience": "a", "jwks_file": "/x", **fields}
    return Proven(IssuerSettings.model_validate(given), claims, 0.0)


@examples(25)
@given(said=JSON, mapped=st.dictionaries(st.text(), st.lists(st.sampled_from([str(scope) for scope in Scope]))))
def test_whatever_a_claim_says_only_what_is_mapped_is_given(said: Any, mapped: dict[str, list[str]]) -> None:
    words = (
        said.split()
        if isinstance(said, str)
        else [w for w in said if isinstance(w, str)]
        if isinstance(said, list)
        else []
    )
    found = _scopes(proven({"scope": said}, scopes=mapped))
    if mapped:
        assert found == {Scope(scope) for word in words for scope in mapped.get(word, [])}
    else:
        assert found == {Scope(word) for word in words if word in set(Scope)}


@examples(25)
@given(claims=st.dictionaries(st.text(), JSON), path=st.text())
def test_a_claim_is_found_or_there_is_none(claims: dict[str, Any], path: str) -> None:
    found = claim(claims, path)
    assert path not in claims or found is claims[path]
    assert claim({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert claim({"a": {"b": 2}}, "a.b") == 2
    assert claim({"a": [2]}, "a.0") is None


@examples(25)
@given(text=st.text() | st.datetimes().map(str) | st.from_regex(r"-?\d{1,9} ?(s|min|hours|d|years)", fullmatch=True))
def test_an_expiry_lies_ahead_or_is_refused(text: str) -> None:
    with suppress(InvalidInput):
        expires = parse_expiry(text, NOW)
        assert expires is not None
        assert expires > NOW
        assert expires.utcoffset() == timedelta(0)
