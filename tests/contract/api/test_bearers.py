"""Bearers of a configured issuer: who gets in with them, how keys rotate, and every way to make one up."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwe
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from shared.clock import ManualClock
from shared.models import LinkInput, MembershipInput, UserInput
from tests.harness.agent import NOW, RunningAgent, running_agent
from tests.harness.issuer import AUDIENCE, NAME, ROTATION, Issuer, running_issuer
from tests.harness.telling import PATIENCE

SCOPES = {"ops.viewer": ["read"], "ops.admin": ["read", "edit", "run", "admin", "code"]}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as running:
        running.published = [running.new_key("first")]
        yield running


async def with_bob(agent: RunningAgent) -> RunningAgent:
    link = LinkInput(issuer=NAME)
    await agent.core.gate.users.create(agent.core.gate.local(), UserInput(handle="bob", link=link))
    return agent


def reaching(tmp_path: Path, issuer: Issuer, **fields: Any) -> Any:
    settings = issuer.settings(**fields)
    return running_agent(tmp_path / "d", issuers=[settings], allow_private_addresses=["127.0.0.0/8"])


@pytest.fixture
async def agent(tmp_path: Path, issuer: Issuer) -> AsyncIterator[RunningAgent]:
    async with reaching(tmp_path, issuer) as running:
        yield await with_bob(running)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[RunningAgent, Issuer]]:
    """One agent for all that is refused: nothing is stored, so nothing is shared."""
    async with running_issuer() as issuer:
        issuer.published = [issuer.new_key("first")]
        async with reaching(tmp_path_factory.mktemp("standing"), issuer) as agent:
            yield await with_bob(agent), issuer


async def ask(agent: RunningAgent, token: str) -> Any:
    async with agent.tcp(token) as client:
        return await client.get("/api/auth/me")


def clock_of(agent: RunningAgent) -> ManualClock:
    assert isinstance(agent.clock, ManualClock)
    return agent.clock


async def test_a_bearer_is_the_user_that_it_names_with_the_scopes_that_both_have(
    agent: RunningAgent, issuer: Issuer
) -> None:
    token = issuer.token(issuer.published[0], NOW, scope="read run admin code openid")
    me = (await ask(agent, token)).json()
    assert (me["handle"], me["via"], me["scopes"]) == ("bob", "oauth", ["read", "run"])
    assert me["expiresAt"] == "2026-03-02T12:05:00Z"
    async with agent.tcp(token) as client:
        assert (await client.get("/api/runs")).status_code == 200
        assert (await client.get("/api/users")).status_code == 403
    assert issuer.fetches == 1


async def test_each_contract_refuses_a_bad_bearer_in_its_own_words(agent: RunningAgent, issuer: Issuer) -> None:
    token = issuer.token(issuer.published[0], NOW, aud="another")
    async with agent.tcp(token) as client:
        native, listed = await client.get("/api/jobs"), await client.post("/jobs/create", json={})
        watched = await client.get("/v1/api/jobs/x")
    assert [answer.status_code for answer in (native, listed, watched)] == [401, 401, 401]
    assert native.json()["error"]["code"] == "unauthenticated"
    assert watched.json()["data"] is None
    assert listed.json()["error"]["code"] == "UNAUTHENTICATED"


def _encoded(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(algorithm: str) -> str:
    stamp = int(NOW.timestamp())
    claims = {"iss": NAME, "aud": AUDIENCE, "sub": "bob", "scope": "read", "exp": stamp + 300}
    return f"{_encoded({'alg': algorithm, 'kid': 'first'})}.{_encoded(claims)}."


def _with_public_key_as_secret(issuer: Issuer) -> str:
    """What a verifier does that takes the algorithm from the token and the key for a secret."""
    public = issuer.published[0].as_pem(private=False)  # type: ignore[union-attr]
    stamp = int(NOW.timestamp())
    claims = {"iss": NAME, "aud": AUDIENCE, "sub": "bob", "scope": "read", "exp": stamp + 300}
    signed = f"{_encoded({'alg': 'HS256', 'kid': 'first'})}.{_encoded(claims)}"
    mark = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(mark).rstrip(b'=').decode()}"


ATTACKS = {
    "no signature": lambda issuer: _unsigned("none"),
    "no signature, told in capitals": lambda issuer: _unsigned("NONE"),
    "an algorithm of secrets, the public key as the secret": _with_public_key_as_secret,
    "another issuer": lambda issuer: issuer.token(issuer.published[0], NOW, iss="https://other.test/"),
    "no issuer": lambda issuer: issuer.token(issuer.published[0], NOW, iss=None),
    "a list of issuers": lambda issuer: issuer.token(issuer.published[0], NOW, iss=[NAME]),
    "another audience": lambda issuer: issuer.token(issuer.published[0], NOW, aud="another"),
    "no audience": lambda issuer: issuer.token(issuer.published[0], NOW, aud=None),
    "an empty audience": lambda issuer: issuer.token(issuer.published[0], NOW, aud=[]),
    "expired": lambda issuer: issuer.token(issuer.published[0], NOW, exp=int(NOW.timestamp()) - 31),
    "no end": lambda issuer: issuer.token(issuer.published[0], NOW, exp=None),
    "an end that is no number": lambda issuer: issuer.token(issuer.published[0], NOW, exp="tomorrow"),
    "an end that is not a number": lambda issuer: issuer.token(issuer.published[0], NOW, exp=float("nan")),
    "an end that is true": lambda issuer: issuer.token(issuer.published[0], NOW, exp=True),
    "not yet": lambda issuer: issuer.token(issuer.published[0], NOW, nbf=int(NOW.timestamp()) + 31),
    "issued tomorrow": lambda issuer: issuer.token(issuer.published[0], NOW, iat=int(NOW.timestamp()) + 86400),
    "a key of the same name": lambda issuer: issuer.token(issuer.new_key("first"), NOW),
    "a key that nobody knows": lambda issuer: issuer.token(issuer.new_key("other"), NOW),
    "a key that it brings along": lambda issuer: _with_own_key(issuer),
    "a key's name that is a list": lambda issuer: _renamed(issuer, ["first"]),
    "a part that nobody knows and that is critical": lambda issuer: _critical(issuer),
    "another text": lambda issuer: _altered(issuer),
    "half of it": lambda issuer: issuer.token(issuer.published[0], NOW)[:-40],
    "two thirds of it": lambda issuer: issuer.token(issuer.published[0], NOW).rpartition(".")[0] + ".",
    "dots": lambda issuer: "..",
    "five parts": lambda issuer: _encrypted(),
    "no text": lambda issuer: "a.b.c",
    "deep": lambda issuer: f"{urlsafe_b64encode(b'[' * 9000).decode()}.e30.e30",
    "more than 16 KB": lambda issuer: issuer.token(issuer.published[0], NOW, padding="x" * 20_000),
    "a user that is not there": lambda issuer: issuer.token(issuer.published[0], NOW, sub="carl"),
    "no user": lambda issuer: issuer.token(issuer.published[0], NOW, sub=None),
    "a user that is none": lambda issuer: issuer.token(issuer.published[0], NOW, sub="../bob"),
    "a user that is a list": lambda issuer: issuer.token(issuer.published[0], NOW, sub=["bob"]),
}  # fmt: skip


def _with_own_key(issuer: Issuer) -> str:
    own = issuer.new_key("first")
    return issuer.token(own, NOW, {"jwk": own.as_dict(private=False), "jku": "https://attacker.test/keys"})


def _renamed(issuer: Issuer, key_id: Any) -> str:
    return _rightly_signed(issuer, {"alg": "ES256", "kid": key_id})


def _critical(issuer: Issuer) -> str:
    return _rightly_signed(issuer, {"alg": "ES256", "kid": "first", "crit": ["own"], "own": 1})


def _rightly_signed(issuer: Issuer, header: dict[str, Any]) -> str:
    """By the issuer's own key, whatever the header says."""
    claims = issuer.token(issuer.published[0], NOW).split(".")[1]
    signed = f"{_encoded(header)}.{claims}"
    mark = JWSRegistry.algorithms["ES256"].sign(signed.encode(), issuer.published[0])
    return f"{signed}.{urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def _altered(issuer: Issuer) -> str:
    header, _, signature = issuer.token(issuer.published[0], NOW).split(".")
    stamp = int(NOW.timestamp())
    claims = {"iss": NAME, "aud": AUDIENCE, "sub": "operator", "scope": "admin", "exp": stamp + 300}
    return f"{header}.{_encoded(claims)}.{signature}"


def _encrypted() -> str:
    key = OctKey.generate_key(256)
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM", "kid": "first"}, b"{}", key)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_is_made_up_is_refused(standing: tuple[RunningAgent, Issuer], attack: str) -> None:
    agent, issuer = standing
    assert (await ask(agent, issuer.token(issuer.published[0], NOW))).status_code == 200
    refused = await ask(agent, ATTACKS[attack](issuer))
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthenticated"), refused.text
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_what_the_attacks_sign_themselves_they_sign_rightly(agent: RunningAgent, issuer: Issuer) -> None:
    assert (await ask(agent, _rightly_signed(issuer, {"alg": "ES256", "kid": "first"}))).status_code == 200
    assert (await ask(agent, _rightly_signed(issuer, {"alg": "ES256"}))).status_code == 200  # there is but one key


async def test_clocks_may_differ_by_the_leeway(agent: RunningAgent, issuer: Issuer) -> None:
    stamp, key = int(NOW.timestamp()), issuer.published[0]
    for claims in ({"exp": stamp - 29}, {"nbf": stamp + 29}, {"iat": stamp + 29}):
        assert (await ask(agent, issuer.token(key, NOW, **claims))).status_code == 200, claims


async def test_a_new_key_is_fetched_when_a_bearer_names_it_and_the_old_one_stays_while_it_is_published(
    agent: RunningAgent, issuer: Issuer
) -> None:
    old, new = issuer.published[0], issuer.new_key("second", "RSA")
    assert (await ask(agent, issuer.token(old, NOW))).status_code == 200
    clock_of(agent).advance(timedelta(seconds=31))
    now = agent.clock.now()
    issuer.published = [old, new]
    assert [(await ask(agent, issuer.token(key, now))).status_code for key in (new, old)] == [200, 200]
    assert issuer.fetches == 2
    issuer.published = [new]
    clock_of(agent).advance(ROTATION)
    now = agent.clock.now()
    assert [(await ask(agent, issuer.token(key, now))).status_code for key in (new, old)] == [200, 401]


async def test_made_up_key_names_do_not_have_the_document_fetched_each_time(
    agent: RunningAgent, issuer: Issuer
) -> None:
    stranger = issuer.new_key("stranger")
    for _ in range(20):
        assert (await ask(agent, issuer.token(stranger, NOW))).status_code == 401
    assert issuer.fetches == 1


async def test_an_issuer_that_does_not_answer_is_no_reason_to_refuse_what_is_known(
    agent: RunningAgent, issuer: Issuer
) -> None:
    key = issuer.published[0]
    assert (await ask(agent, issuer.token(key, NOW))).status_code == 200
    issuer.broken = True
    clock_of(agent).advance(ROTATION)
    assert (await ask(agent, issuer.token(key, agent.clock.now()))).status_code == 200
    clock_of(agent).advance(timedelta(hours=2))
    assert (await ask(agent, issuer.token(key, agent.clock.now()))).status_code == 503
    issuer.broken = False
    clock_of(agent).advance(timedelta(seconds=5))
    assert (await ask(agent, issuer.token(key, agent.clock.now()))).status_code == 200


async def test_keys_are_not_fetched_from_private_addresses_nor_along_redirects(tmp_path: Path, issuer: Issuer) -> None:
    async with running_agent(tmp_path / "closed", issuers=[issuer.settings()]) as closed:
        answer = await ask(closed, issuer.token(issuer.published[0], NOW))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert issuer.fetches == 0
    issuer.redirect_to = issuer.url
    async with reaching(tmp_path, issuer) as agent:
        assert (await ask(agent, issuer.token(issuer.published[0], NOW))).status_code == 503
    assert issuer.fetches == 1


async def test_keys_can_lie_in_a_file(tmp_path: Path, issuer: Issuer) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.document()))
    async with reaching(tmp_path, issuer, jwks_url=None, jwks_file=file) as agent:
        await with_bob(agent)
        assert (await ask(agent, issuer.token(issuer.published[0], NOW))).status_code == 200
    assert issuer.fetches == 0


async def test_claims_are_mapped(tmp_path: Path, issuer: Issuer) -> None:
    fields = {
        "user_claim": "email", "account_claim": "org.id", "accounts": {"42": "sales"}, "scope_claim": "realm.roles",
        "scopes": SCOPES,
    }  # fmt: skip
    async with reaching(tmp_path, issuer, **fields) as agent:
        local, key = agent.core.gate.local(), issuer.published[0]
        await agent.core.gate.accounts.create(local, "sales")
        bob = UserInput(
            handle="Bob@sales.test",
            account="sales",
            role="admin",
            link=LinkInput(issuer=NAME, subject="bob@sales.test"),
        )
        await agent.core.gate.users.create(local, bob)
        claims = {"email": "bob@sales.test", "org": {"id": "42"}, "realm": {"roles": ["ops.admin", "others"]}}
        me = (await ask(agent, issuer.token(key, NOW, **claims))).json()
        assert (me["accountId"], me["handle"]) == ("sales", "Bob@sales.test")
        assert me["scopes"] == ["admin", "edit", "read", "run"]  # `code` was not given to Bob
        for wrong in ({"org": {}}, {"org": "42"}, {"org": {"id": 42}}, {"org": {"id": "default"}}):
            assert (await ask(agent, issuer.token(key, NOW, **(claims | wrong)))).status_code == 401
        none = (await ask(agent, issuer.token(key, NOW, **(claims | {"realm": {}})))).json()
        assert none["scopes"] == []


async def test_users_that_come_for_the_first_time_are_made_where_the_issuer_may(tmp_path: Path, issuer: Issuer) -> None:
    async with reaching(tmp_path, issuer, provision=True) as agent:
        gate, key = agent.core.gate, issuer.published[0]
        local = gate.local()
        assert (await ask(agent, issuer.token(key, NOW, sub="carl"))).json()["scopes"] == ["read", "run"]
        carl = await gate.users.get(local, "carl")
        assert (carl.issuer, carl.subject, carl.has_password, carl.memberships[0].role) == (
            NAME,
            "carl",
            False,
            "member",
        )
        await gate.users.disable(local, "carl", None)
        assert (await ask(agent, issuer.token(key, NOW, sub="carl"))).status_code == 401
        await gate.users.enable(local, "carl", None)
        await gate.users.put_membership(local, "carl", MembershipInput(role="admin"))
        assert (await ask(agent, issuer.token(key, NOW, sub="carl", scope="admin"))).json()["scopes"] == ["admin"]


async def test_an_issuer_does_not_name_who_is_anothers(tmp_path: Path, issuer: Issuer) -> None:
    other = issuer.settings(issuer="https://other.test/", provision=True)
    both = [issuer.settings(provision=True), other]
    async with running_agent(tmp_path / "d", issuers=both, allow_private_addresses=["127.0.0.0/8"]) as agent:
        key = issuer.published[0]
        assert (await ask(agent, issuer.token(key, NOW, sub="carl"))).status_code == 200
        assert (await ask(agent, issuer.token(key, NOW, sub="carl", iss="https://other.test/"))).status_code == 401
        assert (await ask(agent, issuer.token(key, NOW, sub="dora", iss="https://other.test/"))).status_code == 200
        by_id = (await agent.core.gate.users.get(agent.core.gate.local(), "carl")).id
        assert (await ask(agent, issuer.token(key, NOW, sub=by_id))).status_code == 401
        assert (await ask(agent, issuer.token(key, NOW, sub="operator"))).status_code == 401  # the agent's own user


async def test_a_user_is_whom_an_issuer_means_only_once_linked(tmp_path: Path, issuer: Issuer) -> None:
    """However a user of ours is called, and whether or not the issuer makes users."""
    async with reaching(tmp_path, issuer, provision=True) as agent:
        users, local, key = agent.core.gate.users, agent.core.gate.local(), issuer.published[0]
        await users.create(local, UserInput(handle="dora", role="admin"))
        for subject in ("dora", "DORA"):
            assert (await ask(agent, issuer.token(key, NOW, sub=subject))).status_code == 401
        await users.link(local, "dora", LinkInput(issuer=NAME, subject="auth0|7"))
        me = (await ask(agent, issuer.token(key, NOW, sub="auth0|7", scope="admin"))).json()
        assert (me["handle"], me["scopes"]) == ("dora", ["admin"])
        for subject in ("dora", "AUTH0|7"):
            assert (await ask(agent, issuer.token(key, NOW, sub=subject))).status_code == 401
        await users.unlink(local, "dora")
        assert (await ask(agent, issuer.token(key, NOW, sub="auth0|7"))).status_code == 401


async def test_links_are_refused_by_name(agent: RunningAgent) -> None:
    await agent.core.gate.users.create(agent.core.gate.local(), UserInput(handle="dora"))
    async with agent.local() as root:
        unknown = await root.put("/api/users/dora/link", json={"issuer": "https://other.test/"})
        twice = await root.put("/api/users/dora/link", json={"issuer": NAME, "subject": "bob"})
        own = await root.put("/api/users/operator/link", json={"issuer": NAME})
        assert (await root.get("/api/users/dora")).json()["issuer"] is None
    assert (unknown.status_code, unknown.json()["error"]["faults"][0]["field"]) == (400, "issuer")
    assert NAME in unknown.text
    assert (twice.status_code, own.status_code) == (409, 409)
    assert "'bob'" in twice.json()["error"]["message"]


async def test_a_stream_ends_when_its_user_is_unlinked(agent: RunningAgent, issuer: Issuer) -> None:
    token = issuer.token(issuer.published[0], NOW)
    async with agent.tcp(token) as client, client.stream("GET", "/api/events") as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        await anext(lines)
        await agent.core.gate.users.unlink(agent.core.gate.local(), "bob")
        async with asyncio.timeout(PATIENCE):
            assert [line async for line in lines if line.startswith("data:")] == []


async def test_what_a_bearer_makes_does_not_outlive_it(agent: RunningAgent, issuer: Issuer) -> None:
    """Else whoever had it for five minutes had it for ever."""
    bearer = issuer.token(issuer.published[0], NOW, scope="read")
    async with agent.tcp(bearer) as client:
        made = await client.post("/api/tokens", json={"name": "short", "scopes": ["read"]})
        later = await client.post("/api/tokens", json={"name": "long", "scopes": ["read"], "expires": "1 day"})
    assert (made.status_code, made.json()["info"]["expiresAt"]) == (201, "2026-03-02T12:05:00Z")
    assert (later.status_code, later.json()["error"]["faults"][0]["field"]) == (400, "expires")
    assert "bearer" in later.text
    assert (await ask(agent, made.json()["token"])).status_code == 200
    clock_of(agent).advance(timedelta(minutes=5))
    assert (await ask(agent, made.json()["token"])).status_code == 401
