"""`jobdeck user …`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from console.cli.administering import administer
from console.cli.calling import confirm
from console.cli.options import Json, Yes
from console.cli.output import Column, say, say_done, say_facts, say_json, say_table
from console.cli.passwords import ask_password
from console.cli.wording import when
from shared.clock import SystemClock
from shared.exits import Exit
from shared.models import LinkInput, Membership, MembershipInput, Role, User, UserInput

users = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Users: who may call, with which role, in which account."
)

Handle = Annotated[str, typer.Argument(metavar="USER", help="A user's handle or id.")]
InAccount = Annotated[
    str | None, typer.Option("--account", metavar="ACCOUNT", help="In this account; else in your own.")
]
AsAdmin = Annotated[bool, typer.Option("--admin", help="Administers the account; else a member of it.")]
Issuer = Annotated[
    str | None, typer.Option(metavar="URL", help="Whose bearers are this user: one of the agent's issuers.")
]
Subject = Annotated[str | None, typer.Option(help="Whom that issuer means, letter for letter; else the user's handle.")]
WithCode = Annotated[bool, typer.Option("--code", help="May change what runs programs; no role includes it.")]


@users.command("create")
def create_user(
    handle: Annotated[str, typer.Argument(help="The name to log in with.")],
    *,
    admin: AsAdmin = False,
    code: WithCode = False,
    account: InAccount = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="For single sign-on and tokens only.")] = False,
    issuer: Issuer = None,
    subject: Subject = None,
    as_json: Json = False,
) -> int:
    """Create a user. The password is asked for, or read from standard input.

    Example: pwgen 20 1 | jobdeck user create anna --admin
    """
    password = None if no_password else ask_password(twice=True)
    link = LinkInput(issuer=issuer, subject=subject) if issuer is not None else None
    given = UserInput(handle=handle, password=password, role=_role(admin), code=code, account=account, link=link)
    made = administer(lambda client: client.people.create_user(given), sets_up=True)
    if as_json:
        say_json(made)
    else:
        say(f"created {made.handle}")
    return Exit.OK


@users.command("list")
def list_users(*, as_json: Json = False) -> int:
    """List the users of your account. Over the agent's socket, those of all."""
    found = administer(lambda client: client.people.users())
    if as_json:
        say_json(found)
        return Exit.OK
    now = SystemClock().now()
    columns = [Column("USER", flexible=True), Column("MAY", flexible=True), Column("LAST LOGIN"), Column("STATE")]
    say_table(columns, [_row(user, now) for user in found])
    return Exit.OK


@users.command("show")
def show_user(user: Handle, *, as_json: Json = False) -> int:
    """Show a user: accounts, roles, how the user gets in."""
    found = administer(lambda client: client.people.user(user))
    if as_json:
        say_json(found)
        return Exit.OK
    now = SystemClock().now()
    facts = [
        ("user", found.handle),
        ("id", found.id),
        ("state", _state(found)),
        ("created", when(found.created_at, now)),
    ]
    facts += [
        ("password", "set" if found.has_password else "none"),
        ("issuer", found.issuer or ""),
        ("subject", found.subject or ""),
    ]
    facts += [("last login", when(found.last_login_at, now))]
    say_facts(facts + [(f"in {each.account_id}", _may(each)) for each in found.memberships])
    return Exit.OK


@users.command("role")
def set_role(
    user: Handle, *, admin: AsAdmin = False, code: WithCode = False, account: InAccount = None, as_json: Json = False
) -> int:
    """Give a user a role in an account, which may be new to the user."""
    given = MembershipInput(role=_role(admin), code=code, account=account)
    found = administer(lambda client: client.people.put_membership(user, given))
    if as_json:
        say_json(found)
    else:
        say("\n".join(f"{each.account_id}: {_may(each)}" for each in found.memberships))
    return Exit.OK


@users.command("password")
def set_password(user: Handle, *, as_json: Json = False) -> int:
    """Set a user's password. Whoever is logged in as that user is logged out."""
    password = ask_password(twice=True)
    administer(lambda client: client.people.set_password(user, password), sets_up=True)
    say_done("the password is set", {"passwordSet": user}, as_json=as_json)
    return Exit.OK


@users.command("link")
def link_user(
    user: Handle,
    issuer: Annotated[
        str, typer.Option(metavar="URL", help="Whose bearers are this user: one of the agent's issuers.")
    ],
    *,
    subject: Subject = None,
    as_json: Json = False,
) -> int:
    """Let an issuer's bearers be this user.

    Example: jobdeck user link anna --issuer https://login.example.org/realms/ops --subject anna
    """
    linked = administer(lambda client: client.people.link_user(user, LinkInput(issuer=issuer, subject=subject)))
    if as_json:
        say_json(linked)
    else:
        say(f"{linked.handle} is '{linked.subject}' of {linked.issuer}")
    return Exit.OK


@users.command("unlink")
def unlink_user(user: Handle, *, as_json: Json = False) -> int:
    """Let no issuer's bearer be this user any more, from this moment on."""
    found = administer(lambda client: client.people.unlink_user(user))
    if as_json:
        say_json(found)
    else:
        say(f"no issuer's bearer is {user} any more")
    return Exit.OK


@users.command("disable")
def disable_user(user: Handle, *, account: InAccount = None, yes: Yes = False, as_json: Json = False) -> int:
    """Shut a user out at once: sessions end, tokens open nothing. Over the socket everywhere, unless an account is
    named."""
    confirm(f"Disable {user}?", yes=yes)
    return _switch(user, "disabled", account, as_json=as_json)


@users.command("enable")
def enable_user(user: Handle, *, account: InAccount = None, as_json: Json = False) -> int:
    """Let a user in again."""
    return _switch(user, "enabled", account, as_json=as_json)


def _switch(user: str, to: str, account: str | None, *, as_json: bool) -> int:
    found = administer(lambda client: client.people.switch_user(user, enabled=to == "enabled", account=account))
    if as_json:
        say_json(found)
    else:
        say(f"{to} {user}")
    return Exit.OK


def _role(admin: bool) -> Role:
    return "admin" if admin else "member"


def _row(user: User, now: datetime) -> tuple[str, ...]:
    may = ", ".join(f"{each.account_id}: {_may(each)}" for each in user.memberships)
    return user.handle, may, when(user.last_login_at, now) or "never", _state(user)


def _may(membership: Membership) -> str:
    more = " and code" if "code" in membership.scopes else ""
    return f"{membership.role}{more}" + (" (disabled)" if membership.disabled_at else "")


def _state(user: User) -> str:
    return "disabled" if user.disabled_at else "enabled"
