"""The routes of tokens and secrets. Values of secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Sequence

from console.client.answers import Items, NewToken, SecretInfo
from console.client.session import Session, segment
from shared.models import TokenInfo


class Access:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def tokens(self) -> list[TokenInfo]:
        return (await self._session.fetch(Items[TokenInfo], "GET", "/tokens")).items

    async def create_token(self, name: str, scopes: Sequence[str], account: str | None = None) -> NewToken:
        """The only time that the token itself is answered. Another account than the caller's: over the socket only."""
        body = {"name": name, "scopes": list(scopes)} | ({"account": account} if account else {})
        return await self._session.fetch(NewToken, "POST", "/tokens", body=body)

    async def revoke_token(self, token_id: str) -> None:
        await self._session.send("DELETE", f"/tokens/{segment('token', token_id)}")

    async def secrets(self) -> list[SecretInfo]:
        return (await self._session.fetch(Items[SecretInfo], "GET", "/secrets")).items

    async def put_secret(self, name: str, value: str) -> None:
        await self._session.send("PUT", f"/secrets/{segment('secret', name)}", body={"value": value})

    async def delete_secret(self, name: str) -> None:
        await self._session.send("DELETE", f"/secrets/{segment('secret', name)}")
