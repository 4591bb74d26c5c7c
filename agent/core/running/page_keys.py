"""Places in lists, handed out sealed: who brings one back brings what was handed out, to whom and for what."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from itsdangerous import BadSignature, Signer

LONGEST = 20_000
"""Characters of a key."""


class BadPageKey(Exception):
    """It was not handed out by this agent, or not for this, or not to this account."""


class PageKeys:
    """`secret` is asked for when the first key is made or read."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._secret = secret

    def seal(self, purpose: str, account_id: str, place: dict[str, Any]) -> str:
        """URL-safe base64. Signed, not hidden: the place must be nothing that the account may not know."""
        written = json.dumps(place, separators=(",", ":")).encode()
        return urlsafe_b64encode(self._signer(purpose, account_id).sign(written)).decode()

    def open(self, purpose: str, account_id: str, key: str) -> dict[str, Any]:
        """What was sealed for the same purpose and account; BadPageKey."""
        try:
            if len(key) > LONGEST:
                raise BadPageKey
            raw = urlsafe_b64decode(key.encode("ascii"))
            if urlsafe_b64encode(raw).decode() != key:  # decoders overlook what is no base64
                raise BadPageKey
            place: dict[str, Any] = json.loads(self._signer(purpose, account_id).unsign(raw))
        except (BadSignature, ValueError) as error:
            raise BadPageKey from error
        return place

    def _signer(self, purpose: str, account_id: str) -> Signer:
        return _signer(self._secret(), purpose, account_id)


@lru_cache(maxsize=1000)
def _signer(secret: bytes, purpose: str, account_id: str) -> Signer:
    """With a key of its own, derived once."""
    salt = json.dumps([purpose, account_id]).encode()
    derived = Signer(secret, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256).derive_key()
    return Signer(derived, key_derivation="none", digest_method=hashlib.sha256)
