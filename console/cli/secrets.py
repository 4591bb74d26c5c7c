"""`jobdeck secret …`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from console.cli import dependents
from console.cli.administering import administer
from console.cli.options import Json, Yes
from console.cli.output import Column, note, say_done, say_json, say_table
from console.cli.wording import when
from console.render.amounts import count
from shared.clock import SystemClock
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.models import SecretInput

secrets = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Secrets: named, encrypted at rest, masked in every log."
)

SecretName = Annotated[str, typer.Argument(metavar="SECRET", help="As jobs and connections name it.")]


@secrets.command("set")
def set_secret(
    name: SecretName,
    *,
    private: Annotated[
        bool, typer.Option("--private", help="Only you, and whom you share it with, may name it in jobs.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Store a secret. Its value is asked for, or read from standard input, so that it stays out of the process list.
    A new one is yours, and all of the account may name it in jobs unless it is private.

    Examples: pass show gateway | jobdeck secret set gateway-key
              pass show billing | jobdeck secret set billing-key --private
    """
    value = typer.prompt("Value", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value:
        raise InvalidInput.one("value", "write it to standard input; an empty one is none")
    given = SecretInput(value=value, visibility="private" if private else None)
    administer(lambda client: client.access.put_secret(name, given), sets_up=True)
    say_done(f"secret '{name}' is stored", {"stored": name}, as_json=as_json)
    return Exit.OK


@secrets.command("list")
def list_secrets(*, as_json: Json = False) -> int:
    """List the names of secrets; their values are never shown."""
    found = administer(lambda client: client.access.secrets())
    now = SystemClock().now()
    if as_json:
        say_json(found)
    elif found:
        columns = [Column("NAME", flexible=True), Column("SET"), Column("VISIBILITY")]
        say_table(columns, [(one.name, when(one.updated_at, now), one.visibility) for one in found])
    else:
        note("no secrets")
    return Exit.OK


@secrets.command("remove")
def remove_secret(name: SecretName, *, yes: Yes = False, as_json: Json = False) -> int:
    """Remove a secret that no connection uses.

    Jobs that name it fail from then on; they are named before it and after.
    """
    dependents.remove(
        name,
        f"Remove the secret '{name}'?",
        lambda client: client.access.users_of_secret(name),
        lambda client: client.access.delete_secret(name),
        yes=yes,
        as_json=as_json,
    )
    return Exit.OK


@secrets.command("rotate-key")
def rotate_key(*, as_json: Json = False) -> int:
    """Put all secrets under a new key, while the agent works. The old key goes when no secret needs it any more.

    Backups that were made before keep needing the old one: copy secrets.key first, or make a new backup afterwards.
    """
    found = administer(lambda client: client.access.rotate_key())
    if as_json:
        say_json(found)
        return Exit.FAILED if found.unreadable else Exit.OK
    note(f"{count(found.secrets, 'secret')} under a new key; copy secrets.key to where you keep it")
    for name in found.unreadable:
        note(
            f"{name} opens with no key: set it again or remove it, then rotate once more; the old keys stay until then"
        )
    return Exit.FAILED if found.unreadable else Exit.OK
