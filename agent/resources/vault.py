"""Secrets at rest: encrypted with a key that lies in the data folder, beside the store that holds them."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.core.ports import SecretStore
from agent.resources.private_file import make_once, write_aside
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

    async def rotate(self, account_ids: list[str]) -> int:
        """Make a new key and write every secret of these accounts with it; returns how many. Old keys stay readable."""
        self._keys = await asyncio.to_thread(_add_key, self._key_file)
        count = 0
        for account_id in account_ids:
            for secret in await self._store.list_secrets(account_id):
                await self.put(account_id, secret.name, await self.get(account_id, secret.name))
                count += 1
        return count

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
        make_once(path, _lines([_new_key()]))
    return _read(path)


def _add_key(path: Path) -> MultiFernet:
    _read_or_make(path)
    write_aside(path, _lines([_new_key(), *path.read_bytes().split()])).replace(path)
    return _read(path)


def _new_key() -> bytes:
    from cryptography.fernet import Fernet

    return Fernet.generate_key()


def _lines(keys: list[bytes]) -> bytes:
    return b"\n".join(keys) + b"\n"


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
