"""The tree of commands."""

from __future__ import annotations

import typer

from console.cli.accounts import accounts
from console.cli.applying import apply, export
from console.cli.audit import show_audit
from console.cli.catch_up import catch_up
from console.cli.connections import connections
from console.cli.datasets import datasets
from console.cli.definitions_folder import show_definitions
from console.cli.drafts import drafts
from console.cli.explain import explain
from console.cli.jobs import jobs
from console.cli.knowledge_bases import knowledge_bases
from console.cli.login import login, logout, whoami
from console.cli.revisions import diff_revisions, list_revisions, restore_revision
from console.cli.runs import runs
from console.cli.secrets import secrets
from console.cli.sentinels import sentinels
from console.cli.shares import (
    CONNECTIONS,
    DATASETS,
    JOBS,
    KNOWLEDGE_BASES,
    SECRETS,
    add_giving_command,
    add_owner_commands,
    add_share_commands,
)
from console.cli.tokens import tokens
from console.cli.users import users

app = typer.Typer(
    name="jobdeck",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
jobs.command("revisions")(list_revisions)
jobs.command("diff")(diff_revisions)
jobs.command("restore")(restore_revision)
add_share_commands(jobs, JOBS)
add_giving_command(jobs)
app.add_typer(jobs, name="job")
app.add_typer(drafts, name="draft")
app.add_typer(runs, name="run")
app.command()(explain)
app.command()(apply)
app.command()(export)
app.command("definitions")(show_definitions)
app.add_typer(sentinels, name="sentinel")
app.add_typer(catch_up, name="catch-up")
app.add_typer(connections, name="connection")
app.add_typer(knowledge_bases, name="kb")
app.add_typer(datasets, name="dataset")
app.add_typer(secrets, name="secret")
for group, what in (
    (connections, CONNECTIONS),
    (knowledge_bases, KNOWLEDGE_BASES),
    (datasets, DATASETS),
    (secrets, SECRETS),
):
    add_share_commands(group, what)
    add_owner_commands(group, what)
app.command()(login)
app.command()(logout)
app.command()(whoami)
app.add_typer(users, name="user")
app.add_typer(accounts, name="account")
app.add_typer(tokens, name="token")
app.command("audit")(show_audit)
