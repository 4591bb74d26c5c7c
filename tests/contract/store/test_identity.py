"""Accounts, users, memberships, tokens, sessions, as every store keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.core.identity.records import Link, NewMember, NewUser, SessionRecord, TokenRecord
from agent.core.permissions.callers import Scope
from agent.core.ports import Store
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from tests.contract.store.making import MINUTE, NOW

ALL = frozenset(Scope)


@pytest.fixture(autouse=True)
async def people(store: Store) -> None:
    """Anna administers `main`, where Bob is a member."""
    await store.ensure_account("main", "anna-id", "anna", NOW)
    await store.insert_user(NewUser("bob-id", "Bob", NOW), NewMember("main", "bob-id", "member", code=False))


def token(**fields: object) -> TokenRecord:
    made = TokenRecord(new_id(), "main", "bob-id", "ci", new_id(), frozenset({Scope.READ, Scope.RUN}), NOW)
    return replace(made, **fields)  # type: ignore[arg-type]


def session(**fields: object) -> SessionRecord:
    made = SessionRecord(new_id(), new_id(), "main", "bob-id", NOW, NOW, NOW + 60 * MINUTE, "192.0.2.1", "curl")
    return replace(made, **fields)  # type: ignore[arg-type]


async def test_an_account_is_made_once_and_its_first_user_owns_it(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.find_owner("other")
    await store.ensure_account("other", "u1", "carl", NOW)
    await store.ensure_account("other", "u2", "dora", NOW)
    await store.ensure_account("other", "u1", "renamed", NOW)
    assert await store.find_owner("other") == ("u1", "carl")
    with pytest.raises(Conflict):
        await store.insert_account("other", "u1", NOW)
    assert {account.id: account.users for account in await store.list_accounts()} == {"main": 2, "other": 2}


async def test_who_has_the_handle_is_the_same_user_in_a_further_account(store: Store) -> None:
    await store.ensure_account("other", "made-anew", "anna", NOW)
    assert await store.find_owner("other") == ("anna-id", "anna")
    assert [each.account_id for each in await store.list_standings("anna-id")] == ["main", "other"]


async def test_handles_are_one_whatever_their_case(store: Store) -> None:
    with pytest.raises(Conflict, match="'bOB'"):
        await store.insert_user(NewUser("x", "bOB", NOW), NewMember("main", "x", "member", code=False))
    with pytest.raises(NotFound, match="nowhere"):
        await store.insert_user(NewUser("x", "carl", NOW), NewMember("nowhere", "x", "member", code=False))
    found = await store.find_user("BOB")
    assert found is not None
    assert (found.id, found.handle) == ("bob-id", "Bob")
    assert await store.find_user("x") is await store.find_user("carl") is None


async def test_a_role_says_what_a_user_may_do_and_code_is_given_apart(store: Store) -> None:
    bob, anna = await store.find_standing("bob-id", "main"), await store.find_standing("anna-id", "main")
    assert bob is not None
    assert anna is not None
    assert (bob.scopes, anna.scopes) == (ALL - {Scope.ADMIN, Scope.CODE}, ALL)
    await store.put_member(NewMember("main", "bob-id", "admin", code=False), NOW)
    changed = await store.find_standing("bob-id", "main")
    assert changed is not None
    assert changed.scopes == ALL - {Scope.CODE}
    assert await store.find_standing("bob-id", "other") is None


async def test_an_account_sees_its_own_users_and_nothing_of_their_others(store: Store) -> None:
    await store.insert_account("other", "anna-id", NOW)
    assert [user.handle for user in await store.list_users("other")] == ["anna"]
    assert [each.account_id for each in (await store.get_user("anna", "other")).memberships] == ["other"]
    assert [each.account_id for each in (await store.get_user("anna", None)).memberships] == ["main", "other"]
    with pytest.raises(NotFound):
        await store.get_user("bob", "other")


async def test_a_token_is_found_by_its_hash_and_revoked_once(store: Store) -> None:
    made = token(expires_at=NOW + MINUTE)
    await store.insert_token(made)
    found = await store.find_token(made.hash)
    assert found is not None
    assert (found[0], found[1].handle, found[1].disabled) == (made, "Bob", False)
    assert await store.find_token("b" * 64) is None
    await store.touch_tokens({made.id: NOW + MINUTE})
    with pytest.raises(NotFound):
        await store.revoke_token("main", made.id, NOW, "anna-id")
    await store.revoke_token("main", made.id, NOW, "bob-id")
    await store.revoke_token("main", made.id, NOW + MINUTE)
    [info] = await store.list_tokens("main")
    assert (info.handle, info.scopes, info.last_used_at, info.revoked_at) == ("Bob", ["read", "run"], NOW + MINUTE, NOW)
    assert await store.list_tokens("main", "anna-id") == await store.list_tokens("other") == []
    with pytest.raises(NotFound):
        await store.revoke_token("other", made.id, NOW)


@pytest.mark.parametrize("what", ["user", "member", "account"])
async def test_what_is_disabled_takes_its_credentials_with_it(store: Store, what: str) -> None:
    made, logged_in = token(), session()
    await store.insert_token(made)
    await store.insert_session(logged_in, idle_since=NOW - MINUTE)
    for at in (NOW, None):
        if what == "user":
            await store.disable_user("bob-id", at, NOW)
        elif what == "member":
            await store.disable_member("main", "bob-id", at, NOW)
        else:
            await store.disable_account("main", at, NOW)
        found = await store.find_token(made.hash)
        assert found is not None
        assert found[1].disabled is (at is not None)
        assert bool(found[1].scopes) is (at is None)
        assert await store.find_session(logged_in.hash) is None


async def test_sessions_are_ended_by_logout_by_a_new_password_and_by_their_end(store: Store) -> None:
    first, second, third = session(), session(), session()
    for each in (first, second, third):
        await store.insert_session(each, idle_since=NOW - MINUTE)
    await store.touch_session(first.id, NOW + MINUTE)
    found = await store.find_session(first.hash)
    assert found is not None
    assert (found[0], found[1].user_id) == (replace(first, seen_at=NOW + MINUTE), "bob-id")
    await store.delete_session(first.id)
    await store.put_password("bob-id", "hash", second.id, NOW)
    assert [await store.find_session(each.hash) is None for each in (first, second, third)] == [True, False, True]
    later = session(created_at=second.expires_at, expires_at=second.expires_at + MINUTE)
    await store.insert_session(later, idle_since=NOW - MINUTE)
    assert await store.find_session(second.hash) is None
    await store.insert_session(session(), idle_since=NOW)
    assert await store.find_session(later.hash) is None


async def test_tokens_that_ended_go_and_no_others(store: Store) -> None:
    dead = [token(expires_at=NOW), token(expires_at=NOW + MINUTE)]
    living = [token(expires_at=NOW + 5 * MINUTE), token()]
    for each in (*dead, *living):
        await store.insert_token(each)
    await store.revoke_token("main", dead[1].id, NOW)
    assert await store.dead_tokens(NOW, 10) == []
    assert set(await store.dead_tokens(NOW + MINUTE, 10)) == {each.id for each in dead}
    assert len(await store.dead_tokens(NOW + MINUTE, 1)) == 1
    before = await store.last_event_id()
    await store.delete_tokens([each.id for each in dead])
    assert {each.id for each in await store.list_tokens("main")} == {each.id for each in living}
    told = await store.events_after("main", before, 10)
    assert told is not None
    assert {(event.kind, event.subject_id) for event in told} == {("token.changed", each.id) for each in dead}


async def test_sessions_that_are_over_go_and_no_others(store: Store) -> None:
    living, over, idle = session(), session(expires_at=NOW + MINUTE), session(seen_at=NOW - MINUTE)
    for each in (living, over, idle):
        await store.insert_session(each, idle_since=NOW - 2 * MINUTE)
    assert await store.prune_sessions(NOW + MINUTE, NOW - MINUTE) == 2
    found = [await store.find_session(each.hash) is not None for each in (living, over, idle)]
    assert found == [True, False, False]


async def test_a_link_is_one_users_and_letter_for_letter(store: Store) -> None:
    link = Link("https://login.test/", "Bob")
    await store.link_user("bob-id", link, NOW)
    found = await store.find_linked(link)
    assert found is not None
    assert found.id == "bob-id"
    assert await store.find_linked(replace(link, subject="bob")) is None
    assert await store.find_linked(replace(link, issuer="https://other.test/")) is None
    with pytest.raises(Conflict, match="Bob"):
        await store.link_user("anna-id", link, NOW)
    with pytest.raises(Conflict):
        await store.insert_user(
            NewUser("carl-id", "carl", NOW, link=link), NewMember("main", "carl-id", "member", code=False)
        )
    assert await store.find_user("carl") is None
    await store.link_user("bob-id", None, NOW)
    assert await store.find_linked(link) is None


async def test_a_hash_is_replaced_only_if_it_is_still_the_one_that_was_checked(store: Store) -> None:
    await store.put_password("bob-id", "old", None, NOW)
    await store.note_login("bob-id", NOW, ("another", "wrong"))
    await store.note_login("bob-id", NOW, ("old", "new"))
    found = await store.find_user("bob")
    assert found is not None
    assert found.password_hash == "new"
    assert (await store.get_user("bob", None)).last_login_at == NOW


async def test_all_agents_sign_with_the_key_of_the_first(store: Store) -> None:
    assert [await store.session_key(key) for key in ("one", "two")] == ["one", "one"]


async def test_changes_are_told_by_id_to_the_accounts_that_they_concern(store: Store) -> None:
    before = await store.last_event_id()
    made = token()
    await store.insert_token(made)
    await store.insert_account("other", "bob-id", NOW)
    await store.disable_user("bob-id", NOW, NOW)
    told = await store.events_after("main", before, 100)
    assert told is not None
    assert [(event.kind, event.data) for event in told] == [
        ("token.changed", {"id": made.id}), ("user.changed", {"id": "bob-id"}), ("user.changed", {"id": "bob-id"}),
    ]  # fmt: skip
    theirs = await store.events_after("other", before, 100)
    assert theirs is not None
    assert [event.kind for event in theirs] == ["user.changed", "account.changed", "user.changed"]
