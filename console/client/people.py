"""The routes of accounts and users, and of logging in."""

from __future__ import annotations

from console.client.answers import Items
from console.client.session import Session, segment
from shared.models import (
    Account,
    AccountAllowance,
    AccountLimits,
    LinkInput,
    LoginInput,
    Me,
    MembershipInput,
    NewToken,
    TokenInput,
    User,
    UserInput,
)

_OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a page of the agent's own: a session changes nothing without it."""


class People:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def me(self) -> Me:
        return await self._session.fetch(Me, "GET", "/auth/me")

    async def log_in(self, given: LoginInput) -> Me:
        """This client shows the session from then on."""
        return await self._session.fetch(Me, "POST", "/auth/login", body=given)

    async def log_out(self) -> None:
        await self._session.send("POST", "/auth/logout", headers=_OWN_PAGE)

    async def own_token(self, given: TokenInput) -> NewToken:
        """A token of who has logged in."""
        return await self._session.fetch(NewToken, "POST", "/tokens", body=given, headers=_OWN_PAGE)

    async def users(self) -> list[User]:
        return (await self._session.fetch(Items[User], "GET", "/users")).items

    async def user(self, key: str) -> User:
        return await self._session.fetch(User, "GET", _user(key))

    async def create_user(self, given: UserInput) -> User:
        return await self._session.fetch(User, "POST", "/users", body=given)

    async def put_membership(self, key: str, given: MembershipInput) -> User:
        return await self._session.fetch(User, "PUT", f"{_user(key)}/membership", body=given)

    async def set_password(self, key: str, password: str) -> None:
        await self._session.send("PUT", f"{_user(key)}/password", body={"password": password})

    async def link_user(self, key: str, given: LinkInput) -> User:
        return await self._session.fetch(User, "PUT", f"{_user(key)}/link", body=given)

    async def unlink_user(self, key: str) -> User:
        return await self._session.fetch(User, "DELETE", f"{_user(key)}/link")

    async def switch_user(self, key: str, *, enabled: bool, account: str | None) -> User:
        act = "_enable" if enabled else "_disable"
        return await self._session.fetch(User, "POST", f"{_user(key)}/{act}", body={"account": account})

    async def accounts(self) -> list[Account]:
        return (await self._session.fetch(Items[Account], "GET", "/accounts")).items

    async def create_account(self, account_id: str) -> Account:
        return await self._session.fetch(Account, "POST", "/accounts", body={"id": account_id})

    async def account_limits(self, account_id: str) -> AccountAllowance:
        return await self._session.fetch(AccountAllowance, "GET", f"{_account(account_id)}/limits")

    async def put_account_limits(self, account_id: str, given: AccountLimits) -> AccountAllowance:
        return await self._session.fetch(AccountAllowance, "PUT", f"{_account(account_id)}/limits", body=given)

    async def switch_account(self, account_id: str, *, enabled: bool) -> Account:
        act = "_enable" if enabled else "_disable"
        return await self._session.fetch(Account, "POST", f"{_account(account_id)}/{act}")


def _user(key: str) -> str:
    return f"/users/{segment('user', key)}"


def _account(account_id: str) -> str:
    return f"/accounts/{segment('account', account_id)}"
