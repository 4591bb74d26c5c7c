"""The agent's settings: flags over environment (`JOBDECK_…`) over the TOML file over defaults, checked once."""

from __future__ import annotations

import os
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_network
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from agent.identity_settings import IssuerSettings, PasswordSettings
from shared.durations import Duration
from shared.errors import Fault, InvalidInput
from shared.faults import fault_from
from shared.models import AccountLimits, MailServer, SentinelKind
from shared.variables import PREFIX, refuse_misspelt


class Settings(BaseSettings):
    """Every setting with its default; `docs/operations.md` explains them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path
    name: str = "jobdeck"
    production: bool = False
    """The console then asks for the count to be typed before acts on many."""
    bind: str = "127.0.0.1:8000"
    """HOST:PORT; port 0 takes a free one; empty: the Unix socket only."""
    socket_group_access: bool = False
    allowed_hosts: list[str] = []
    """Names, besides loopback and the bind address, that a request's Host may have."""
    account: str = "default"
    owner: str = "operator"
    anonymous_account: str | None = None
    """Requests without credentials act as this account: contract 000 only, loopback only."""
    agent_admins: list[str] = []
    """Users that administer the agent, as its socket's user does: accounts, and the users of all of them."""
    trusted_proxies: list[str] = []
    """Networks (CIDR) of proxies whose `X-Forwarded-For` says where a request comes from."""
    session_idle: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(hours=8)
    """A login that is not used for so long is over."""
    session_lifetime: Annotated[Duration, Field(ge=timedelta(minutes=1))] = timedelta(days=7)
    """After so long it is over, however much it is used."""
    passwords: PasswordSettings = PasswordSettings()
    issuers: list[IssuerSettings] = []
    """Whose OAuth 2.0 JWT bearers are taken."""
    workers: Annotated[int, Field(ge=1, le=256)] = 4
    runs_per_worker: Annotated[int, Field(ge=1)] = 1000
    """A worker process is replaced after that many runs."""
    lease: Duration = timedelta(seconds=60)
    stop_grace: Duration = timedelta(seconds=10)
    """How long a stopping agent lets runs go on before it ends them."""
    undo_delay: Annotated[Duration, Field(le=timedelta(hours=1))] = timedelta(seconds=10)
    """How long a cancel of a run that waits can be undone, where it was asked for as undoable."""
    catch_up_rate: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Caught-up runs that may start in a minute, of all jobs together."""
    catch_up_threshold: Annotated[int, Field(ge=0, le=10_000_000)] = 100
    """More runs than that to catch up at once, of all jobs together, wait for an operator."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    max_active_jobs: Annotated[int, Field(ge=0)] = 100
    min_interval: Duration = timedelta(minutes=1)
    max_job_duration: Duration = timedelta(days=30)
    query_timeout: Annotated[Duration, Field(ge=timedelta(seconds=1))] = timedelta(hours=1)
    """One query of a data source, or about a dataset, that takes longer is ended."""
    limits: AccountLimits = AccountLimits()
    """What accounts may have that have no limits of their own; the three above hold for contract 000 besides."""
    allow_private_addresses: list[str] = []
    """Networks (CIDR) that `api-call`, `webhook`, `email` and embedders may reach although they are private."""
    embedder_hosts: list[str] = []
    """Hosts (`name` or `name:port`, as in the embedder's URL) that embedders may be at wherever they are."""
    smtp: MailServer | None = None
    """The mail server of jobs that name none; it may be reached wherever it is."""
    smtp_hosts: list[str] = []
    """Further mail servers that may be reached although their addresses are private, by the name that jobs use."""
    max_attachment_bytes: Annotated[int, Field(ge=1)] = 25 * 1024 * 1024
    file_roots: list[Path] = []
    """Folders that exports may write to and imports read from, in every account, besides the account's own."""
    account_file_roots: dict[str, list[Path]] = {}
    """Further ones of one account alone, by its id."""
    sentinels: list[SentinelKind] = ["overdue", "too_slow", "too_fast", "flapping"]
    """What the agent looks for in every job whose policies do not say otherwise."""
    sentinel_tolerance: Annotated[float, Field(ge=0.25, le=100)] = 1.0
    sentinel_least_runs: Annotated[int, Field(ge=5, le=100)] = 10
    keep_runs_for: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=90)
    """Runs that ended longer ago are deleted with their logs, but for the newest `keep_runs_per_job` of each job."""
    keep_runs_per_job: Annotated[int, Field(ge=0, le=1000)] = 20
    keep_runs: Annotated[int, Field(ge=1000)] = 5_000_000
    """More than that, of all jobs together, are never kept."""
    keep_fires_for: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=90)
    """Of the ledger, with the same exception."""
    keep_events: Annotated[int, Field(ge=1000)] = 200_000
    keep_events_for: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=7)
    definitions_dir: Path | None = None
    """A folder of definitions that the agent applies as it changes; nobody else may be able to write in it."""
    definitions_account: str | None = None
    """The account that they belong to; None: `account`."""
    keep_tokens_for: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(days=90)
    """Tokens that were revoked, or expired, longer ago are deleted; what they did stays in the record."""
    keep_audit_for: Annotated[Duration, Field(ge=timedelta(days=1))] = timedelta(days=365)
    """Of the record of what was done."""
    keep_refusals: Annotated[int, Field(ge=100)] = 10_000
    """Of those the newest, however young the others are: what anybody can cause must not grow without end."""
    log_format: Literal["text", "json"] = "text"

    @field_validator("data_dir", "definitions_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("file_roots")
    @classmethod
    def _roots_are_absolute(cls, value: list[Path], info: ValidationInfo) -> list[Path]:
        return [_root(root, info.data.get("data_dir")) for root in value]

    @field_validator("account_file_roots")
    @classmethod
    def _roots_are_one_accounts(cls, value: dict[str, list[Path]], info: ValidationInfo) -> dict[str, list[Path]]:
        """What is one account's alone is within nothing that others reach, nor around it."""
        roots = {account: [_root(root, info.data.get("data_dir")) for root in each] for account, each in value.items()}
        owned = [(account, root) for account, each in roots.items() for root in each]
        common = [("every account", root) for root in info.data.get("file_roots", [])]
        for (account, root), (other, place) in product(owned, owned + common):
            if account != other and _overlap(root.resolve(), place.resolve()):
                raise ValueError(f"{str(root)!r} of '{account}' and {str(place)!r} of {other!r} overlap")
        return roots

    @field_validator("bind")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit() and int(port) < 65536):
            raise ValueError("write HOST:PORT, as in 127.0.0.1:8000")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for text in value:
            ip_network(text, strict=False)
        return value

    @field_validator("issuers")
    @classmethod
    def _each_once(cls, value: list[IssuerSettings]) -> list[IssuerSettings]:
        names = [each.issuer for each in value]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the issuer {twice} stands there twice")
        return value

    def roots(self, account_id: str) -> list[Path]:
        """Where relative names of files begin, then all other folders that files may be in. The first is the account's
        own, and no account's is within another's."""
        own = "exports" if account_id == self.account else f"exports-of/{account_id}"
        return [self.data_dir / own, *self.file_roots, *self.account_file_roots.get(account_id, ())]

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the base class names the arguments)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _root(given: Path, data_dir: Path | None) -> Path:
    root = given.expanduser()
    if not root.is_absolute() or root == Path("/"):
        raise ValueError(f"{str(root)!r} is no folder to write to; name absolute ones, and not '/'")
    if data_dir is not None and _overlap(root.resolve(), data_dir.resolve()):
        raise ValueError(f"{str(root)!r} and the data folder must not be one within the other")
    return root


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def load_settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    """Flags that are None were not given. InvalidInput names the setting, the value and what would be right."""
    refuse_misspelt(os.environ, variables())
    given = {name: value for name, value in flags.items() if value is not None}
    sources = type("_Settings", (Settings,), {"model_config": SettingsConfigDict(toml_file=config)})
    try:
        settings: Settings = sources(**given)
    except ValidationError as error:
        raise InvalidInput([_fault(found) for found in error.errors()]) from None
    except ValueError as error:
        raise InvalidInput.one("config", f"{config} cannot be read as TOML: {error}") from None
    return settings


def variables() -> set[str]:
    """The environment's names of all settings."""
    return {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def _fault(found: Any) -> Fault:
    fault = fault_from(found)
    if found["type"] != "extra_forbidden" or len(found["loc"]) > 1:
        return fault
    close = get_close_matches(fault.field, Settings.model_fields, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "docs/operations.md has them all"
    return Fault(fault.field, f"is no setting; {hint}", fault.value, fault.code)
