"""Answers that are remembered are those that the store would give."""

from __future__ import annotations

from dataclasses import replace

from agent.core.identity.records import NewMember, NewUser, Standing, TokenRecord
from agent.core.permissions.callers import Scope
from agent.core.ports import Store
from agent.store import SqlStore
from agent.store.identity.known import Known
from shared.ids import new_id
from shared.models import Event
from tests.contract.store.making import MINUTE, NOW

REVOKED = Event(id=1, at=NOW, kind="token.changed", account_id="main", subject_id="t")
OTHER = REVOKED.model_copy(update={"kind": "job.changed"})


async def test_a_token_is_asked_for_once_and_again_after_every_change(store: Store) -> None:
    await store.ensure_account("main", "anna-id", "anna", NOW)
    await store.insert_user(NewUser("bob-id", "Bob", NOW), NewMember("main", "bob-id", "member", code=False))
    made = TokenRecord(new_id(), "main", "bob-id", "ci", new_id(), frozenset({Scope.READ}), NOW)
    await store.insert_token(made)
    asked = _count_questions(store)
    member = Standing("main", "bob-id", "Bob", "member", code=False, disabled=False)
    for _ in range(3):
        assert await store.find_token(made.hash) == (made, member)
    assert len(asked) == 1
    await store.put_member(NewMember("main", "bob-id", "admin", code=True), NOW)
    assert await store.find_token(made.hash) == (made, replace(member, role="admin", code=True))
    await store.touch_tokens({made.id: NOW})
    await store.revoke_token("main", made.id, NOW + MINUTE)
    assert await store.find_token(made.hash) == (
        replace(made, revoked_at=NOW + MINUTE),
        replace(member, role="admin", code=True),
    )
    assert len(asked) == 3


async def test_that_there_is_no_token_is_not_remembered(store: Store) -> None:
    asked = _count_questions(store)
    assert [await store.find_token("b" * 64) for _ in range(2)] == [None, None]
    assert len(asked) == 2


async def test_what_was_read_before_a_change_is_not_kept_when_it_comes_after_it() -> None:
    known = Known[str]("token.changed")

    async def slow() -> str:
        known.hear([OTHER, REVOKED])
        return "valid"

    async def quick() -> str:
        return "revoked"

    assert await known.ask("t", slow) == "valid"
    assert await known.ask("t", quick) == "revoked"
    known.hear([OTHER])
    assert await known.ask("t", slow) == "revoked"


def _count_questions(store: Store) -> list[object]:
    assert isinstance(store, SqlStore)
    asked: list[object] = []
    ask = store._readers.ask

    async def counted(query: object) -> object:
        asked.append(query)
        return await ask(query)  # type: ignore[arg-type]

    store._readers.ask = counted  # type: ignore[method-assign, assignment]
    return asked
