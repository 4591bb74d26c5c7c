"""Secrets as they are stored, of all accounts: for who changes the key that they are under."""

from __future__ import annotations

from typing import NamedTuple


class SealedSecret(NamedTuple):
    account_id: str
    name: str
    ciphertext: bytes


class Resealed(NamedTuple):
    """`ciphertext` is what it was, `again` what takes its place."""

    account_id: str
    name: str
    ciphertext: bytes
    again: bytes
