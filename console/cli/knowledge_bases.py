"""`jobdeck kb …`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from console.cli import dependents
from console.cli.administering import administer
from console.cli.options import Json, Private, Yes, visibility_of
from console.cli.output import Column, note, say, say_json, say_table
from shared.errors import InvalidInput
from shared.exits import Exit
from shared.models import KnowledgeBaseInput, SearchHit, SearchInput

knowledge_bases = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Knowledge bases: embedded, searchable."
)

BaseKey = Annotated[str, typer.Argument(metavar="KB", help="Its name or id.")]
_MODES = ("both", "vector", "text")


@knowledge_bases.command("create")
def create_knowledge_base(
    name: Annotated[str, typer.Argument(help="As jobs name it.")],
    *,
    embedder: Annotated[
        str, typer.Option(help="wordllama (built in, offline), or openai:MODEL@BASE-URL for a compatible endpoint.")
    ] = "wordllama",
    private: Private = False,
    as_json: Json = False,
) -> int:
    """Create an empty knowledge base; a `kb-sync` job fills it."""
    wanted = KnowledgeBaseInput(name=name, embedder=embedder, visibility=visibility_of(private=private))
    made = administer(lambda client: client.world.create_knowledge_base(wanted), sets_up=True)
    if as_json:
        say_json(made)
    else:
        say(made.id)
        note(f"knowledge base '{made.name}' is created ({made.embedder}, {made.dimensions} dimensions)")
    return Exit.OK


@knowledge_bases.command("list")
def list_knowledge_bases(*, as_json: Json = False) -> int:
    """List knowledge bases and how many rows each has."""
    found = administer(lambda client: client.world.knowledge_bases())
    if as_json:
        say_json(found)
    elif found:
        heads = ("ROWS", "EMBEDDER", "DIMENSIONS", "VISIBILITY")
        columns = [Column("NAME", flexible=True), *map(Column, heads)]
        rows = [(one.name, f"{one.rows:,}", one.embedder, str(one.dimensions), one.visibility) for one in found]
        say_table(columns, rows)
    else:
        note("no knowledge bases; `jobdeck kb create NAME` makes one")
    return Exit.OK


@knowledge_bases.command("search")
def search(
    knowledge_base: BaseKey,
    query: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    *,
    mode: Annotated[str, typer.Option(help="both, vector or text.")] = "both",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="At most so many hits.")] = 10,
    attribute: Annotated[
        list[str] | None, typer.Option("--filter", "-f", metavar="NAME=VALUE", help="Only rows with this attribute.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Search a knowledge base.

    Example: jobdeck kb search orders_kb 'a lamp that keeps burning in strong wind' -f status=shipped
    """
    if mode not in _MODES:
        raise InvalidInput.one("--mode", f"write one of {', '.join(_MODES)}", mode)
    wanted = SearchInput.model_validate(
        {"query": query, "mode": mode, "limit": limit, "filter": _filter(attribute or [])}
    )
    found = administer(lambda client: client.world.search(knowledge_base, wanted))
    if as_json:
        say_json(found)
    else:
        _say_hits(found)
    return Exit.OK


@knowledge_bases.command("remove")
def remove_knowledge_base(knowledge_base: BaseKey, *, yes: Yes = False, as_json: Json = False) -> int:
    """Remove a knowledge base with everything in it.

    Jobs that name it fail from then on; they are named before it and after.
    """
    dependents.remove(
        knowledge_base,
        f"Remove the knowledge base '{knowledge_base}' with everything in it?",
        lambda client: client.world.users_of_knowledge_base(knowledge_base),
        lambda client: client.world.delete_knowledge_base(knowledge_base),
        yes=yes,
        as_json=as_json,
    )
    return Exit.OK


def _filter(pairs: list[str]) -> dict[str, Any]:
    """`name=value`; a value that reads as JSON is that, anything else is text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise InvalidInput.one("--filter", "write NAME=VALUE", pair)
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _say_hits(found: list[SearchHit]) -> None:
    if not found:
        note("nothing found")
        return
    columns = [Column("SCORE"), Column("KEY"), Column("TEXT", flexible=True)]
    say_table(columns, [(f"{hit.score:.3f}", hit.key, hit.text) for hit in found])
