"""`jobdeck token …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from console.cli.administering import administer
from console.cli.calling import confirm
from console.cli.options import Json, Yes
from console.cli.output import Column, note, say, say_done, say_json, say_table
from console.cli.wording import when
from shared.clock import SystemClock
from shared.exits import Exit
from shared.models import TokenInfo, TokenInput

tokens = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Tokens: what programs and people elsewhere call the agent with."
)


@tokens.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[
        list[str], typer.Option("--scope", "-s", help="read, edit, run, delete, admin or code; give it once for each.")
    ],
    account: Annotated[str | None, typer.Option(help="For another account; one that is not there is made.")] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="For this user; else for yourself.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="WHEN", help="After '30 days', or at '2026-12-31'.")] = None,
    as_json: Json = False,
) -> int:
    """Create a token and print it, alone: it is shown this once.

    Example: jobdeck token create ci --scope read --scope run --expires 90d
    """  # fmt: skip
    given = TokenInput(name=name, scopes=scope, account=account, user=user, expires=expires)
    made = administer(lambda client: client.access.create_token(given), sets_up=True)
    if as_json:
        say_json(made)
    else:
        say(made.token)
    return Exit.OK


@tokens.command("list")
def list_tokens(*, as_json: Json = False) -> int:
    """List tokens: names, scopes and ends, never the tokens."""
    found = administer(lambda client: client.access.tokens())
    if as_json:
        say_json(found)
    else:
        _say_tokens(found)
    return Exit.OK


@tokens.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(help="Its name or id, as `token list` shows them.")],
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> int:
    """Revoke a token: it opens nothing any more, at once."""
    confirm(f"Revoke token {token}?", yes=yes)
    administer(lambda client: client.access.revoke_token(token))
    say_done("revoked", {"revoked": token}, as_json=as_json)
    return Exit.OK


def _say_tokens(found: list[TokenInfo]) -> None:
    if not found:
        note("no tokens; the local socket needs none")
        return
    now = SystemClock().now()
    columns = [
        Column("NAME", flexible=True),
        Column("USER", flexible=True),
        Column("SCOPES"),
        Column("CREATED"),
        Column("LAST USED"),
        Column("EXPIRES"),
        Column("ID"),
    ]
    say_table(columns, [_row(token, now) for token in found])


def _row(token: TokenInfo, now: datetime) -> tuple[str, ...]:
    return (
        token.name,
        token.handle,
        " ".join(token.scopes) if token.revoked_at is None else "revoked",
        when(token.created_at, now),
        when(token.last_used_at, now),
        when(token.expires_at, now) or "never",
        token.id,
    )
