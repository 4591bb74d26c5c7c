"""`jobdeck connection …`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from console.cli import dependents
from console.cli.administering import administer
from console.cli.options import Json, Private, Yes, visibility_of
from console.cli.output import Column, note, say, say_json, say_table
from console.render.amounts import count
from shared.exits import Exit
from shared.models import ConnectionInput

connections = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Connections: the data sources that jobs read."
)

ConnectionKey = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its name or id.")]


@connections.command("add")
def add_connection(
    name: Annotated[str, typer.Argument(help="What stands before the dot in source_table.")],
    url: Annotated[str, typer.Argument(help="As SQLAlchemy writes it; '-' reads it from standard input.")],
    *,
    secret: Annotated[str | None, typer.Option(metavar="SECRET", help="A stored secret that is its password.")] = None,
    private: Private = False,
    as_json: Json = False,
) -> int:
    """Add a data source. A password in the URL is moved into a secret before anything is stored.

    Examples: jobdeck connection add shop sqlite:////srv/shop.db
              jobdeck connection add crm postgresql://reader@db.example/crm --secret crm-password
    """
    given = sys.stdin.readline().strip() if url == "-" else url
    wanted = ConnectionInput(name=name, url=given, secret_name=secret, visibility=visibility_of(private=private))
    made = administer(lambda client: client.world.add_connection(wanted), sets_up=True)
    if as_json:
        say_json(made)
    else:
        say(made.id)
        note(f"connection '{made.name}' ({made.kind}) is added; `jobdeck connection test {made.name}` tries it")
    return Exit.OK


@connections.command("list")
def list_connections(*, as_json: Json = False) -> int:
    """List data sources, without their credentials."""
    found = administer(lambda client: client.world.connections())
    if as_json:
        say_json(found)
    elif found:
        columns = [Column("NAME"), Column("KIND"), Column("URL", flexible=True), Column("SECRET"), Column("VISIBILITY")]
        say_table(columns, [(one.name, one.kind, one.url, one.secret_name or "", one.visibility) for one in found])
    else:
        note("no connections; `jobdeck connection add NAME URL` adds one")
    return Exit.OK


@connections.command("test")
def try_connection(connection: ConnectionKey, *, as_json: Json = False) -> int:
    """Connect, and name the tables that the source shows."""
    found = administer(lambda client: client.world.test_connection(connection))
    if as_json:
        say_json(found)
    elif found.ok:
        for table in found.tables:
            say(table)
        note(f"it answers; {count(len(found.tables), 'table')}")
    else:
        note(found.message)
    return Exit.OK if found.ok else Exit.FAILED


@connections.command("remove")
def remove_connection(connection: ConnectionKey, *, yes: Yes = False, as_json: Json = False) -> int:
    """Remove a data source; jobs that name it fail from then on.

    They are named before it and after.
    """
    dependents.remove(
        connection,
        f"Remove the connection '{connection}'?",
        lambda client: client.world.users_of_connection(connection),
        lambda client: client.world.delete_connection(connection),
        yes=yes,
        as_json=as_json,
    )
    return Exit.OK
