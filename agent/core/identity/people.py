"""Who may change who there is."""

from __future__ import annotations

import re
from collections.abc import Collection

from agent.core.permissions.callers import Caller
from agent.core.permissions.rules import EVERYONE
from shared.errors import Forbidden, InvalidInput, NotFound
from shared.ids import is_id

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HANDLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


class Administration:
    """The agent's administrators: whoever uses its socket, and the users that the setting `agent_admins` names, with the
    scope `admin`. An account's administrators see and change what is their account's, and nothing beyond it."""

    def __init__(self, local: Caller, admins: Collection[str]) -> None:
        self._local = local
        self._admins = {handle.lower() for handle in admins}

    def is_of_agent(self, caller: Caller) -> bool:
        return caller.via == "socket" or (caller.is_admin and caller.handle.lower() in self._admins)

    def require(self, caller: Caller) -> None:
        if not self.is_of_agent(caller):
            raise Forbidden("this is for the agent's administrators: its socket's user and those of `agent_admins`")

    def account_for(self, caller: Caller, account: str | None) -> str:
        """The account that is meant; another than the caller's is not there for who does not administer the agent."""
        if account is None or account == caller.account_id:
            return caller.account_id
        if not self.is_of_agent(caller):
            raise NotFound(f"there is no account '{account}'")
        return check_account(account)

    def sees(self, caller: Caller) -> str | None:
        """The account whose users the caller sees; None: all."""
        return None if self.is_of_agent(caller) else caller.account_id

    def is_protected(self, user_id: str, handle: str) -> bool:
        """The agent's own user, and its administrators: an account's administrator does not change them."""
        return user_id == self._local.user_id or handle.lower() in self._admins

    def is_local(self, user_id: str) -> bool:
        return user_id == self._local.user_id


def check_account(account: str) -> str:
    if not _ACCOUNT.fullmatch(account):
        raise InvalidInput.one("account", "letters, digits, '_', '-' and '.', at most 100", account)
    return account


def check_handle(handle: str) -> str:
    if not _HANDLE.fullmatch(handle) or is_id(handle):  # an id is somebody else's name already
        raise InvalidInput.one("handle", "letters, digits and '._@+-', at most 100, a letter or digit first", handle)
    if handle.lower() == EVERYONE:
        raise InvalidInput.one("handle", "is what everyone in an account is called; take another", handle)
    return handle
