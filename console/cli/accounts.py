"""`jobdeck account …`."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.administering import administer
from console.cli.calling import confirm
from console.cli.options import Json, Yes
from console.cli.output import Column, say, say_json, say_table
from console.cli.wording import when
from shared.clock import SystemClock
from shared.exits import Exit

accounts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Accounts: what jobs and users belong to, invisible from others."
)

AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Its id.")]


@accounts.command("create")
def create_account(account: AccountId, *, as_json: Json = False) -> int:
    """Create an account; then give it users: `jobdeck user create NAME --account ACCOUNT --admin`."""
    made = administer(lambda client: client.people.create_account(account))
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


@accounts.command("disable")
def disable_account(account: AccountId, *, yes: Yes = False) -> int:
    """Let nobody call for it any more, from this moment on; what is scheduled in it goes on."""
    confirm(f"Disable the account {account}?", yes=yes)
    administer(lambda client: client.people.switch_account(account, enabled=False))
    say(f"disabled {account}")
    return Exit.OK


@accounts.command("enable")
def enable_account(account: AccountId) -> int:
    """Let its users in again."""
    administer(lambda client: client.people.switch_account(account, enabled=True))
    say(f"enabled {account}")
    return Exit.OK
