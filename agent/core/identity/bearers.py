"""Bearers of other issuers (OAuth 2.0, RFC 6750 and 9068): a JWT that one of the configured issuers has signed."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from agent.core.identity.keys import KeySet
from agent.identity_settings import IssuerSettings
from shared.clock import Clock
from shared.errors import CredentialsExpired, Unauthenticated

MOST_BYTES = 16 * 1024
_NOT_VALID = "the bearer is not valid"


@dataclass(frozen=True, slots=True)
class Issuer:
    settings: IssuerSettings
    keys: KeySet


@dataclass(frozen=True, slots=True)
class Proven:
    """What an issuer has signed, checked: its claims say what they say until `expires_at` (seconds since 1970)."""

    issuer: IssuerSettings
    claims: Mapping[str, Any]
    expires_at: float


class Bearers:
    def __init__(self, issuers: list[Issuer], clock: Clock) -> None:
        self._issuers = {each.settings.issuer: each for each in issuers}
        self._clock = clock

    def are(self, text: str) -> bool:
        """Whether this is for an issuer to know, not for us: three parts (five, encrypted), and there are issuers."""
        return bool(self._issuers) and text.count(".") >= 2

    async def prove(self, text: str) -> Proven:
        """Unauthenticated for whatever is wrong with it, CredentialsExpired for its age alone. Unavailable while the
        issuer's keys cannot be had."""
        if len(text) > MOST_BYTES:
            _refuse("longer than 16 KB")
        header, claimed = _unproven(text)
        issuer = self._issuers.get(str(claimed.get("iss")))
        if issuer is None:
            _refuse("its issuer is not one of the settings'")
        if header.get("alg") not in issuer.settings.algorithms:
            _refuse("its algorithm is not one of the issuer's")
        key_id = header.get("kid")
        key = await issuer.keys.find(key_id if isinstance(key_id, str) else None)
        if key is None or (key_id is not None and not isinstance(key_id, str)):
            _refuse("the issuer has no such key")
        return self._proven(issuer.settings, text, key)

    def _proven(self, issuer: IssuerSettings, text: str, key: Any) -> Proven:
        from joserfc import jwt
        from joserfc.errors import ExpiredTokenError, JoseError

        rules = jwt.JWTClaimsRegistry(
            now=int(self._clock.now().timestamp()),
            leeway=int(issuer.leeway.total_seconds()),
            iss={"essential": True, "value": issuer.issuer},
            aud={"essential": True, "values": list(issuer.audience)},
            exp={"essential": True},
        )
        try:
            claims = jwt.decode(text, key, algorithms=list(issuer.algorithms)).claims
            rules.validate(claims)
        except ExpiredTokenError:
            raise CredentialsExpired(f"{_NOT_VALID}: it has expired") from None
        except JoseError as error:
            _refuse(error.description or error.error)
        except (ValueError, TypeError, OverflowError, RecursionError):
            _refuse("it cannot be read")
        return Proven(issuer, claims, float(claims["exp"]))


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, dots and all; else what the dotted path reaches. None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _unproven(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand there, believed in nothing but where to look for the key."""
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        _refuse("it is no signed JWT")
    try:
        header, claims = (json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        _refuse("it cannot be read")
    if not (isinstance(header, dict) and isinstance(claims, dict)):
        _refuse("it cannot be read")
    return header, claims


def _refuse(why: str) -> NoReturn:
    raise Unauthenticated(f"{_NOT_VALID}: {why}")
