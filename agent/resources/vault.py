"""Secrets at rest: encrypted with a key that lies in the data folder, beside the store that holds them."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.core.ports import SecretStore
from agent.core.records.secrets import Resealed, SealedSecret
from agent.resources.private_file import make_once, replace
from shared.clock import Clock
from shared.errors import Unavailable
from shared.models import KeyRotation
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
        self._writing = asyncio.Lock()
        """What is sealed is stored before a key goes."""

    async def put(
        self,
        account_id: str,
        name: str,
        value: str,
        owner_id: str | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        async with self._writing:
            sealed = _seal(await self._opened(), account_id, name, value)
            await self._store.put_secret(account_id, name, sealed, self._clock.now(), owner_id, visibility)

    async def get(self, account_id: str, name: str) -> str:
        """NotFound if there is none; Unavailable if the key file is not the one it was written with."""
        keys = await self._opened()
        return _unseal(keys, account_id, name, await self._store.secret_ciphertext(account_id, name))

    async def rotate(self) -> KeyRotation:
        """A new key on top of the file, then every secret under it in one transaction, then the old keys go: cut short
        at any point, all secrets can be read, and it can be begun anew. Old keys stay while something does not open."""
        async with self._writing:
            await self._opened()
            new = await asyncio.to_thread(_put_on_top, self._key_file)
            self._keys = await asyncio.to_thread(_read, self._key_file)
            sealed = await self._store.sealed_secrets()
            changed, closed = await asyncio.to_thread(_resealed, self._keys, sealed)
            await self._store.reseal_secrets(changed)
            if not closed:
                await asyncio.to_thread(_drop_others, self._key_file, new, await self._store.sealed_secrets())
                self._keys = await asyncio.to_thread(_read, self._key_file)
        return KeyRotation(secrets=len(changed), unreadable=[f"{one.account_id}/{one.name}" for one in closed])

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


def _put_on_top(path: Path) -> bytes:
    new = _new_key()
    with _telling(path):
        replace(path, new + b"\n" + path.read_bytes())
    return new


def _resealed(keys: MultiFernet, sealed: Sequence[SealedSecret]) -> tuple[list[Resealed], list[SealedSecret]]:
    """What is to take the place of each, and those that no key opens."""
    from cryptography.fernet import InvalidToken

    changed, closed = list[Resealed](), list[SealedSecret]()
    for one in sealed:
        try:
            changed.append(Resealed(*one, keys.rotate(one.ciphertext)))
        except InvalidToken:
            closed.append(one)
    return changed, closed


def _drop_others(path: Path, key: bytes, sealed: Sequence[SealedSecret]) -> None:
    """Once more looked at, as it is stored: what this key alone does not open keeps the others."""
    from cryptography.fernet import Fernet, InvalidToken

    alone = Fernet(key)
    try:
        for one in sealed:
            alone.decrypt(one.ciphertext)
    except InvalidToken:
        raise Unavailable("a secret was stored under an old key meanwhile; all keys stay, run it again") from None
    with _telling(path):
        replace(path, key + b"\n")


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}; no secret is lost, run it again") from None


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
