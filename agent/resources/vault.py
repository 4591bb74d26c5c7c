"""Secrets at rest: encrypted with a key that lies in the data folder, beside the store that holds them."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.core.ports import SecretStore
from agent.resources.private_file import make_once
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models.share import Visibility

if TYPE_CHECKING:  # loaded with the first secret: an agent that has none starts sooner
    from cryptography.fernet import MultiFernet

KEY_FILE = "secrets.key"


class FileKeyVault:
    """Implements `agent.core.ports.Vault`. The key file has one key a line: the first encrypts, all decrypt.

    A ciphertext names its account and secret inside: one that was moved to another name does not open.
    """

    def __init__(self, data_dir: Path, store: SecretStore, clock: Clock) -> None:
        self._key_file = data_dir / KEY_FILE
        self._store = store
        self._clock = clock
        self._keys: MultiFernet | None = None

    async def put(
        self,
        account_id: str,
        name: str,
        value: str,
        owner_id: str | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        sealed = _seal(await self._opened(), account_id, name, value)
        await self._store.put_secret(account_id, name, sealed, self._clock.now(), owner_id, visibility)

    async def get(self, account_id: str, name: str) -> str:
        """NotFound if there is none; Unavailable if the key file is not the one it was written with."""
        keys = await self._opened()
        return _unseal(keys, account_id, name, await self._store.secret_ciphertext(account_id, name))

    async def _opened(self) -> MultiFernet:
        if self._keys is None:
            self._keys = await asyncio.to_thread(_read_or_make, self._key_file)
        return self._keys


class _Keys(Protocol):
    def encrypt(self, msg: bytes) -> bytes: ...

    def decrypt(self, msg: bytes) -> bytes: ...


def _seal(keys: _Keys, account_id: str, name: str, value: str) -> bytes:
    return keys.encrypt(json.dumps([account_id, name, value]).encode())


def _unseal(keys: _Keys, account_id: str, name: str, ciphertext: bytes) -> str:
    from cryptography.fernet import InvalidToken

    try:
        account, secret, value = json.loads(keys.decrypt(ciphertext))
    except InvalidToken:
        raise Unavailable(f"secret '{name}' cannot be read: {KEY_FILE} is not the file it was written with") from None
    if (account, secret) != (account_id, name):
        raise Unavailable(f"secret '{name}' cannot be read: it was written for another name")
    return str(value)


def _read_or_make(path: Path) -> MultiFernet:
    if not path.exists():
        make_once(path, _new_key() + b"\n")
    return _read(path)


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    return Fernet.generate_key()


def _read(path: Path) -> MultiFernet:
    loose = stat.S_IMODE(path.stat().st_mode) & 0o077
    if loose:
        raise Unavailable(f"{path} can be read by others; run: chmod 600 {path}")
    from cryptography.fernet import Fernet, MultiFernet

    try:
        return MultiFernet([Fernet(key) for key in path.read_bytes().split()])
    except ValueError:
        raise Unavailable(
            f"{path} does not hold keys; restore it from a backup, or remove it and set secrets anew"
        ) from None
