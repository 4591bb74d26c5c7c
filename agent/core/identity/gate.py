"""The one door: from credentials to a caller, and who may change who there is."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.identity.accounts import Accounts
from agent.core.identity.bearers import Bearers, Issuer
from agent.core.identity.foreign import Foreigners
from agent.core.identity.keys import KeySet, KeySource
from agent.core.identity.passwords import Passwords
from agent.core.identity.people import Administration
from agent.core.identity.sessions import Sessions
from agent.core.identity.tokens import Tokens
from agent.core.identity.users import Users
from agent.core.permissions.audit import AUTHENTICATE, NOBODY, acting, now_acts
from agent.core.permissions.callers import EVERY_SCOPE, Caller, Scope
from agent.core.ports.identity import IdentityStore
from agent.identity_settings import IssuerSettings
from agent.settings import Settings
from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.ids import NewId

KeysOf = Callable[[IssuerSettings], KeySource]


class Gate:
    def __init__(
        self, store: IdentityStore, clock: Clock, new_id: NewId, local: Caller, settings: Settings, keys_of: KeysOf
    ) -> None:
        self._local = local
        self._anonymous_account = settings.anonymous_account
        self.admins = admins = Administration(local, settings.agent_admins)
        passwords = Passwords(settings.passwords)
        issuers = [Issuer(each, KeySet(keys_of(each), clock, each.keys_for)) for each in settings.issuers]
        self._foreigners = Foreigners(store, clock, new_id, Bearers(issuers, clock), admins, settings.account)
        self.tokens = Tokens(store, clock, new_id, admins)
        self.sessions = Sessions(store, clock, new_id, passwords, settings)
        self.users = Users(store, clock, new_id, passwords, admins, [each.issuer for each in settings.issuers])
        self.accounts = Accounts(store, clock, admins, local)

    async def by_bearer(self, text: str, *, is_use: bool = True) -> Caller:
        """A token of ours, or a JWT of a configured issuer. Not `is_use`: nothing is noted. Unauthenticated."""
        try:
            if self._foreigners.are(text):
                return await self._foreigners.caller(text)
            return await self.tokens.caller(text, is_use=is_use)
        except Unauthenticated:
            if is_use and acting() is None:
                now_acts(Caller(self._local.account_id, "", NOBODY, frozenset(), "token"), AUTHENTICATE)
            raise

    async def by_session(self, cookie: str, *, is_use: bool = True) -> Caller:
        """Not `is_use`: nothing is noted, and the session does not last longer for it. Unauthenticated."""
        return await self.sessions.caller(cookie, is_use=is_use)

    def local(self) -> Caller:
        """Whoever can open the agent's socket acts as the agent's own user, with all scopes."""
        return self._local

    def anonymous(self) -> Caller | None:
        """The caller that requests without credentials may be, where a contract allows it."""
        if self._anonymous_account is None:
            return None
        scopes = frozenset({Scope.READ, Scope.EDIT, Scope.RUN})
        return Caller(self._anonymous_account, self._local.user_id, "anonymous", scopes, "anonymous")


def local_caller(account_id: str, user_id: str, handle: str) -> Caller:
    return Caller(account_id, user_id, handle, EVERY_SCOPE, "socket")
