"""`jobdeck login`, `logout`, `whoami`: at an agent on another machine."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from console.cli.calling import call, the_settings, the_target
from console.cli.options import Json
from console.cli.output import note, say_done, say_facts, say_json
from console.cli.passwords import ask_password
from console.cli.wording import when
from console.client import AgentClient, Target
from console.client.target import parse, read_token, resolve_address, token_place, write_token
from shared.clock import SystemClock
from shared.errors import InvalidInput, Unauthenticated
from shared.exits import Exit
from shared.models import LoginInput, NewToken, TokenInput

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def login(
    agent: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="The agent; else the one of the settings.")
    ] = None,
    *,
    user: Annotated[str | None, typer.Option("--user", "-u", help="Your name there; else it is asked for.")] = None,
    account: Annotated[str | None, typer.Option(help="Which of your accounts.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", "-s", help="What the token may do; else all that you may but `code`.")
    ] = None,
    expires: Annotated[str, typer.Option(metavar="WHEN", help="When the token ends.")] = "30 days",
    insecure: Annotated[bool, typer.Option("--insecure", help="Send the password unencrypted.")] = False,
    as_json: Json = False,
) -> int:
    """Log in by name and password, and keep a token. All commands and the console then show it.

    Example: jobdeck login https://jobs.example.org --user anna
    """
    target = _elsewhere(agent, insecure=insecure)
    place = token_place(os.environ, None if agent else the_settings())
    given = LoginInput(username=user or _ask_user(), password=ask_password(twice=False), account=account)
    made = asyncio.run(_fetch_token(target, given, scope, expires))
    _keep(place, made, target)
    if as_json:
        say_json(made.info)
    else:
        info = made.info
        until = when(info.expires_at, SystemClock().now())
        note(f"logged in as {info.handle} in {info.account_id}; the token in {place} ends {until}")
        if agent is not None:
            note(f"say so to the commands to come: export JOBDECK_AGENT={target.url}")
    return Exit.OK


def logout(*, as_json: Json = False) -> int:
    """Revoke the token that `login` keeps, and remove it."""
    if os.environ.get("JOBDECK_TOKEN"):
        raise InvalidInput.one("JOBDECK_TOKEN", "is not login's to forget: unset it; `jobdeck token revoke` ends it")
    place = token_place(os.environ, the_settings())
    if not place.exists():
        say_done("not logged in", {"loggedOut": False}, as_json=as_json)
        return Exit.OK
    target = replace(resolve_address(os.environ, os.geteuid(), the_settings()), token=read_token(place))
    try:
        asyncio.run(_revoke(target))
    except Unauthenticated:
        note("the token was over already")
    place.unlink(missing_ok=True)
    say_done("logged out", {"loggedOut": True}, as_json=as_json)
    return Exit.OK


def whoami(*, as_json: Json = False) -> int:
    """Say who you are for the agent, and what you may do."""
    me = call(lambda client: client.people.me())
    if as_json:
        say_json(me)
    else:
        ends = when(me.expires_at, SystemClock().now())
        facts = [("user", me.handle), ("account", me.account_id), ("may", " ".join(me.scopes)), ("by", me.via)]
        say_facts([*facts, ("ends", ends), ("agent", the_target().address)])
    return Exit.OK


def _elsewhere(agent: str | None, *, insecure: bool) -> Target:
    target = parse("URL", agent) if agent else resolve_address(os.environ, os.geteuid(), the_settings())
    if target.socket is not None:
        raise InvalidInput.one("URL", "the local agent's socket needs no login; name an agent elsewhere by its URL")
    parts = urlsplit(target.url)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not insecure:
        raise InvalidInput.one("URL", "is not encrypted: write https://…, or add --insecure", target.url)
    return target


def _ask_user() -> str:
    if not sys.stdin.isatty():
        raise InvalidInput.one("--user", "is needed where nobody can be asked")
    return str(typer.prompt("User", err=True))


async def _fetch_token(target: Target, given: LoginInput, scopes: list[str] | None, expires: str) -> NewToken:
    """The session is only the way to it, and ends."""
    async with AgentClient(target) as client:
        me = await client.people.log_in(given)
        name = f"login from {platform.node() or 'somewhere'}"
        wanted = scopes or [scope for scope in me.scopes if scope != "code"]
        try:
            return await client.people.own_token(TokenInput(name=name, scopes=wanted, expires=expires))
        finally:
            await client.people.log_out()


def _keep(place: Path, made: NewToken, target: Target) -> None:
    """A token that cannot be kept is nobody's, and opens nothing."""
    try:
        write_token(place, made.token)
    except InvalidInput:
        asyncio.run(_revoke(replace(target, token=made.token)))
        raise


async def _revoke(target: Target) -> None:
    async with AgentClient(target) as client:
        me = await client.people.me()
        if me.token_id is not None:
            await client.access.revoke_token(me.token_id)
