"""Tokens and sessions: what callers show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from agent.core.identity.records import SessionRecord, Standing, TokenRecord
from agent.core.permissions.callers import Scope
from agent.store import events
from agent.store.engine.prepared import Prepared
from agent.store.identity import limits
from agent.store.identity.members import STANDING_FROM, STANDING_PARTS, standing_of
from agent.store.rows import chunks
from agent.store.tables import members, sessions, tokens, users
from shared.errors import Conflict, NotFound
from shared.models import TokenInfo


def _by_hash(credentials: sa.Table) -> Prepared:
    """With its user's standing; without a membership no row: a credential alone opens nothing. Asked by each request."""
    of_standing = [part for part in STANDING_PARTS if part.name not in credentials.c]
    mine = sa.and_(members.c.account_id == credentials.c.account_id, members.c.user_id == credentials.c.user_id)
    query = sa.select(credentials, *of_standing).select_from(credentials.join(STANDING_FROM, mine))
    return Prepared(query.where(credentials.c.hash == sa.bindparam("shown", type_=sa.Text)))


_TOKEN, _SESSION = _by_hash(tokens), _by_hash(sessions)
_TOKEN_FIELDS = [column.name for column in tokens.c if column.name not in {"scopes", "last_used_at"}]
_NAMED = 5
"""Ids that a refusal names at most."""
_SESSION_FIELDS = [column.name for column in sessions.c]

# -- tokens ------------------------------------------------------------------------------------------------------------


def insert_token(connection: sa.Connection, token: TokenRecord) -> None:
    limits.check(connection, token.account_id, "tokens", token.created_at)
    row = {**asdict(token), "scopes": sorted(token.scopes)}
    connection.execute(sa.insert(tokens).values(row))
    _tell_token(connection, token.account_id, token.id, token.created_at)


def find_token(connection: sa.Connection, token_hash: str) -> tuple[TokenRecord, Standing] | None:
    """Expired and revoked ones, and those of disabled users too: who asks judges."""
    for row in _TOKEN.rows(connection, {"shown": token_hash}):
        given = {name: row[name] for name in _TOKEN_FIELDS}
        return TokenRecord(**given, scopes=frozenset(map(Scope, row["scopes"]))), standing_of(row)
    return None


def touch_tokens(connection: sa.Connection, used: dict[str, datetime]) -> None:
    if used:
        update = sa.update(tokens).where(tokens.c.id == sa.bindparam("token")).values(last_used_at=sa.bindparam("used"))
        connection.execute(update, [{"token": token, "used": at} for token, at in used.items()])


def list_tokens(connection: sa.Connection, account_id: str, user_id: str | None = None) -> list[TokenInfo]:
    """Of one user, or of all."""
    query = sa.select(tokens, users.c.handle).join(users).where(tokens.c.account_id == account_id)
    if user_id is not None:
        query = query.where(tokens.c.user_id == user_id)
    found = connection.execute(query.order_by(tokens.c.created_at, tokens.c.id)).mappings()
    return [TokenInfo.model_validate(row) for row in found]


def revoke_token(
    connection: sa.Connection, account_id: str, key: str, now: datetime, user_id: str | None = None
) -> str:
    """Of that user, where one is given; by its id, or by a name that only one of those has that still open something.
    Returns its id. A second time changes nothing; Conflict names the ids of several."""
    mine = tokens.c.account_id == account_id
    if user_id is not None:
        mine &= tokens.c.user_id == user_id
    token_id = _token_called(connection, mine, key, now)
    revoked = sa.func.coalesce(tokens.c.revoked_at, sa.literal(now, tokens.c.revoked_at.type))
    connection.execute(sa.update(tokens).where(tokens.c.id == token_id).values(revoked_at=revoked))
    _tell_token(connection, account_id, token_id, now)
    return token_id


def _token_called(connection: sa.Connection, mine: sa.ColumnElement[bool], key: str, now: datetime) -> str:
    if connection.scalar(sa.select(tokens.c.id).where(mine, tokens.c.id == key)) is not None:
        return key
    lives = (tokens.c.revoked_at.is_(None), sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now))
    named = sa.select(tokens.c.id).where(mine, tokens.c.name == key, *lives).order_by(tokens.c.created_at, tokens.c.id)
    match list(connection.scalars(named.limit(_NAMED + 1))):
        case []:
            raise NotFound(f"there is no token {key}")
        case [only]:
            return str(only)
        case several:
            more = " and more" if len(several) > _NAMED else ""
            raise Conflict(
                f"several tokens are called {key!r}; name one by its id: {', '.join(several[:_NAMED])}{more}"
            )


def dead_tokens(connection: sa.Connection, before: datetime, most: int) -> list[str]:
    """Some of those that ended before that moment, by hand or by time."""
    ended = sa.or_(tokens.c.revoked_at < before, tokens.c.expires_at < before)
    return list(connection.scalars(sa.select(tokens.c.id).where(ended).limit(most)))


def delete_tokens(connection: sa.Connection, token_ids: Sequence[str], now: datetime) -> None:
    for part in chunks(token_ids):
        those = tokens.c.id.in_(part)
        gone = connection.execute(sa.select(tokens.c.account_id, tokens.c.id).where(those)).all()
        connection.execute(sa.delete(tokens).where(those))
        told = [(account, token, {"id": token, "deleted": True}) for account, token in gone]
        events.record(connection, "token.changed", told, now)


def _tell_token(connection: sa.Connection, account_id: str, token_id: str, now: datetime) -> None:
    events.record(connection, "token.changed", [(account_id, token_id, {"id": token_id})], now)


# -- sessions ----------------------------------------------------------------------------------------------------------


def insert_session(connection: sa.Connection, session: SessionRecord, idle_since: datetime) -> None:
    """Those that are over go."""
    prune_sessions(connection, session.created_at, idle_since)
    connection.execute(sa.insert(sessions).values(asdict(session)))


def prune_sessions(connection: sa.Connection, now: datetime, idle_since: datetime) -> int:
    over = sa.or_(sessions.c.expires_at <= now, sessions.c.seen_at <= idle_since)
    return connection.execute(sa.delete(sessions).where(over)).rowcount


def find_session(connection: sa.Connection, session_hash: str) -> tuple[SessionRecord, Standing] | None:
    for row in _SESSION.rows(connection, {"shown": session_hash}):
        return SessionRecord(**{name: row[name] for name in _SESSION_FIELDS}), standing_of(row)
    return None


def touch_session(connection: sa.Connection, session_id: str, now: datetime) -> None:
    connection.execute(sa.update(sessions).where(sessions.c.id == session_id).values(seen_at=now))


def delete_session(connection: sa.Connection, session_id: str) -> None:
    connection.execute(sa.delete(sessions).where(sessions.c.id == session_id))
