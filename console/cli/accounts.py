"""`jobdeck account …`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from console.cli.administering import administer
from console.cli.calling import confirm
from console.cli.options import Json, Yes
from console.cli.output import Column, say, say_facts, say_json, say_table
from console.cli.wording import when
from console.client import AgentClient
from shared.clock import SystemClock
from shared.durations import format_duration
from shared.errors import Fault, InvalidInput
from shared.exits import Exit
from shared.faults import message_of
from shared.models import AccountAllowance, AccountLimits
from shared.sizes import show_size

accounts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Accounts: what jobs and users belong to, invisible from others."
)

_DEFAULT = "default"
_OR_DEFAULT = f"; '{_DEFAULT}': as the agent's settings say."
Most = Annotated[str | None, typer.Option(metavar="N", help=f"At most so many{_OR_DEFAULT}")]
Size = Annotated[
    str | None, typer.Option(metavar="SIZE", help=f"Of snapshots and attachments, as in '5 GB'{_OR_DEFAULT}")
]
Span = Annotated[str | None, typer.Option(metavar="SPAN", help=f"As in '5 minutes'{_OR_DEFAULT}")]
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id.")]


@accounts.command("create")
def create_account(account: AccountId, *, as_json: Json = False) -> int:
    """Create an account. Then give it users: `jobdeck user create NAME --account ACCOUNT --admin`."""
    made = administer(lambda client: client.people.create_account(account), sets_up=True)
    if as_json:
        say_json(made)
    else:
        say(f"created {made.id}")
    return Exit.OK


@accounts.command("list")
def list_accounts(*, as_json: Json = False) -> int:
    """List all accounts of the agent."""
    found = administer(lambda client: client.people.accounts())
    if as_json:
        say_json(found)
        return Exit.OK
    now = SystemClock().now()
    columns = [Column("ACCOUNT", flexible=True), Column("USERS"), Column("CREATED"), Column("STATE")]
    rows = [
        (each.id, str(each.users), when(each.created_at, now), "disabled" if each.disabled_at else "enabled")
        for each in found
    ]
    say_table(columns, rows)
    return Exit.OK


@accounts.command("show")
def show_account(
    account: Annotated[str | None, typer.Argument(metavar="ACCOUNT", help="Its id; else your own.")] = None,
    *,
    as_json: Json = False,
) -> int:
    """Show what an account may have, and what it has."""
    found = administer(lambda client: _allowance(client, account))
    if as_json:
        say_json(found)
    else:
        say_facts([("account", found.account_id), *_facts(found)])
    return Exit.OK


@accounts.command("limit")
def limit_account(
    account: AccountId,
    *,
    active_jobs: Most = None,
    waiting_runs: Most = None,
    tokens: Most = None,
    stored_bytes: Size = None,
    knowledge_rows: Most = None,
    min_interval: Span = None,
    max_job_duration: Span = None,
    as_json: Json = False,
) -> int:
    """Say how much an account may have; what is not named stays. What is there already stays, too.

    Example: jobdeck account limit sales --active-jobs 50 --min-interval "5 minutes" --tokens default
    """
    given = {
        "active_jobs": active_jobs,
        "waiting_runs": waiting_runs,
        "tokens": tokens,
        "stored_bytes": stored_bytes,
        "knowledge_rows": knowledge_rows,
        "min_interval": min_interval,
        "max_job_duration": max_job_duration,
    }
    changes = {name: None if text == _DEFAULT else text for name, text in given.items() if text is not None}
    found = administer(lambda client: _change_limits(client, account, changes), sets_up=True)
    if as_json:
        say_json(found)
    else:
        say_facts([("account", found.account_id), *_facts(found)])
    return Exit.OK


@accounts.command("disable")
def disable_account(account: AccountId, *, yes: Yes = False, as_json: Json = False) -> int:
    """Let nobody call for it from now on. What is scheduled in it goes on."""
    confirm(f"Disable the account {account}?", yes=yes)
    return _switch(account, "disabled", as_json=as_json)


@accounts.command("enable")
def enable_account(account: AccountId, *, as_json: Json = False) -> int:
    """Let its users in again."""
    return _switch(account, "enabled", as_json=as_json)


def _switch(account: str, to: str, *, as_json: bool) -> int:
    found = administer(lambda client: client.people.switch_account(account, enabled=to == "enabled"))
    if as_json:
        say_json(found)
    else:
        say(f"{to} {account}")
    return Exit.OK


async def _allowance(client: AgentClient, account: str | None) -> AccountAllowance:
    return await client.people.account_limits(account or (await client.people.me()).account_id)


async def _change_limits(client: AgentClient, account: str, changes: dict[str, str | None]) -> AccountAllowance:
    """Its own limits are replaced as a whole: those that are not named are said again."""
    known = (await client.people.account_limits(account)).own.model_dump(mode="json")
    try:
        wanted = AccountLimits.model_validate(known | changes)
    except ValidationError as error:
        raise InvalidInput([_fault(found) for found in error.errors(include_url=False)]) from None
    return await client.people.put_account_limits(account, wanted)


def _fault(found: Any) -> Fault:
    option = "--" + "-".join(str(found["loc"][0]).split("_"))
    return Fault(option, message_of(found), found["input"])


def _facts(found: AccountAllowance) -> list[tuple[str, str]]:
    used = found.use.model_dump()
    return [(name.replace("_", " "), _fact(name, value, used.get(name))) for name, value in found.limits]


def _fact(name: str, limit: int | timedelta | None, used: int | None) -> str:
    if used is None:
        return format_duration(limit) if isinstance(limit, timedelta) else "no limit"
    has = show_size(used) if name == "stored_bytes" else f"{used:,}"
    if not isinstance(limit, int):
        return f"{has}, no limit"
    return f"{has} of {show_size(limit, used) if name == 'stored_bytes' else f'{limit:,}'}"
