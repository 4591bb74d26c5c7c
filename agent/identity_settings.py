"""Settings of who may call, in parts of their own: passwords, and issuers of bearers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.durations import Duration

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
    "HS256", "HS384", "HS512",
]  # fmt: skip
ScopeName = Literal["read", "edit", "run", "delete", "admin", "code"]


class PasswordSettings(BaseModel):
    """Cost of argon2id (RFC 9106, its second recommendation). A login with another cost writes the hash anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_cost: Annotated[int, Field(ge=1, le=100)] = 3
    memory_kib: Annotated[int, Field(ge=8, le=4_194_304)] = 65_536
    parallelism: Annotated[int, Field(ge=1, le=64)] = 4


class IssuerSettings(BaseModel):
    """Whose OAuth 2.0 JWT bearers are taken, and what their claims mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(min_length=1)]
    """As the claim `iss` has it, letter for letter."""
    audience: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    """One of them must be in `aud`."""
    jwks_url: str | None = None
    jwks_file: Path | None = None
    algorithms: Annotated[list[Algorithm], Field(min_length=1)] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
    leeway: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=10))] = timedelta(seconds=30)
    """How far the issuer's clock may be off."""
    keys_for: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=5)
    """How long fetched keys are taken without asking again: so long a key that was withdrawn still opens."""
    user_claim: str = "sub"
    account_claim: str | None = None
    """Names the account; without it, `account` or the agent's own is meant."""
    account: str | None = None
    accounts: dict[str, str] = {}
    """From values of the claim to accounts; a value that is not in it is an account's id itself."""
    scope_claim: str = "scope"
    """Words between spaces, or a list; a dotted path reaches into the claims, as in `realm_access.roles`."""
    scopes: dict[str, list[ScopeName]] = {}
    """From values of the claim to scopes; empty: the values are scopes themselves."""
    default_scopes: list[ScopeName] = []
    """What a bearer without the claim may do."""
    provision: bool = False
    """Make users, as members of the account, that come for the first time."""

    @field_validator("audience", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("jwks_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("write a URL, as in https://login.example.org/.well-known/jwks.json")
        return value

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if (self.jwks_url is None) == (self.jwks_file is None):
            raise ValueError("give `jwks_url` or `jwks_file`, one of the two")
        if self.jwks_file is None and any(algorithm.startswith("HS") for algorithm in self.algorithms):
            raise ValueError("HS256 and its kin need a secret that both sides have: give it in a `jwks_file`")
        return self
