"""The routes of tokens and secrets. Values of secrets go in and never come out."""

from __future__ import annotations

from console.client.answers import Items
from console.client.session import Session, segment
from shared.models import JobUsers, KeyRotation, NewToken, Secret, SecretInput, TokenInfo, TokenInput


class Access:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def tokens(self) -> list[TokenInfo]:
        return (await self._session.fetch(Items[TokenInfo], "GET", "/tokens")).items

    async def create_token(self, given: TokenInput) -> NewToken:
        """The only time that the token itself is answered."""
        return await self._session.fetch(NewToken, "POST", "/tokens", body=given)

    async def revoke_token(self, token_id: str) -> None:
        await self._session.send("DELETE", f"/tokens/{segment('token', token_id)}")

    async def secrets(self) -> list[Secret]:
        return (await self._session.fetch(Items[Secret], "GET", "/secrets")).items

    async def put_secret(self, name: str, given: SecretInput) -> None:
        await self._session.send("PUT", f"/secrets/{segment('secret', name)}", body=given)

    async def rotate_key(self) -> KeyRotation:
        return await self._session.fetch(KeyRotation, "POST", "/secrets/_rotate_key", patience=60)

    async def users_of_secret(self, name: str) -> JobUsers:
        return await self._session.fetch(JobUsers, "GET", f"/secrets/{segment('secret', name)}/jobs")

    async def delete_secret(self, name: str) -> None:
        await self._session.send("DELETE", f"/secrets/{segment('secret', name)}")
