"""Who may do what: the rules, once, and nothing but rules.

Two things decide, and an act needs both. The token's scopes are the upper bound: what this caller may do at all. How the
caller stands to the resource is the lower one: its owner may do everything with it, others what a share lets them;
whoever has the scope `admin` (and so the local socket's user) stands to all of the account as its owner does.

What belongs to another account, or is not shared with the caller, is not there: NotFound. What the caller may read and
not do is Forbidden. Runs, fires, sentinels, logs and events follow their job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from agent.core.driving import Manifest
from agent.core.permissions.callers import Caller, Scope
from shared.errors import Forbidden, NotFound
from shared.models.share import AccessLevel, JobPermissions, Visibility


class Hidden(NotFound):
    """It is there, and not for the caller to know: answered as if it were not, and told to the record."""

    why = "it is not shared with the caller"


EVERYONE = "everyone"
"""The principal that is every user of the account."""

ResourceKind = Literal["job", "connection", "knowledge_base", "dataset", "library", "secret"]
WORDS: Mapping[ResourceKind, str] = {
    "job": "job",
    "connection": "connection",
    "knowledge_base": "knowledge base",
    "dataset": "dataset",
    "library": "library",
    "secret": "secret",
}
LEVELS: tuple[AccessLevel, ...] = ("reader", "runner", "editor", "manager")
"""From the lowest up; each may what those before it may."""


class Act(StrEnum):
    READ = "read"
    """See it, its runs, logs and fires; search a knowledge base."""
    RUN = "run"
    """Run it, cancel and rerun its runs, decide about its missed fires, acknowledge its sentinels."""
    RUN_OLD = "run an old revision of"
    """Start again what it was before its last changes."""
    EMPTY = "empty the content of"
    """Have a run of it remove what it has brought into a knowledge base."""
    USE = "use"
    """Name it in a job: a connection, a knowledge base, a dataset, a secret."""
    EDIT = "edit"
    DELETE = "delete"
    SHARE = "share"
    """Say who else may do what with it."""


@dataclass(frozen=True, slots=True)
class _Rule:
    scope: Scope
    level: AccessLevel


RULES: Mapping[Act, _Rule] = {
    Act.READ: _Rule(Scope.READ, "reader"),
    Act.RUN: _Rule(Scope.RUN, "runner"),
    Act.RUN_OLD: _Rule(Scope.RUN, "editor"),
    Act.EMPTY: _Rule(Scope.RUN, "editor"),
    Act.USE: _Rule(Scope.EDIT, "runner"),
    Act.EDIT: _Rule(Scope.EDIT, "editor"),
    Act.DELETE: _Rule(Scope.DELETE, "manager"),
    Act.SHARE: _Rule(Scope.EDIT, "manager"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a resource stands to one user. `level`: the highest of the shares with the user and with everyone."""

    account_id: str
    owner_id: str | None
    level: AccessLevel | None = None
    visibility: Visibility = "private"
    """`account`: all of the account may read and use it. Jobs are private."""

    def level_of(self, user_id: str) -> AccessLevel | None:
        if self.owner_id == user_id:
            return LEVELS[-1]
        return higher(self.level, "runner" if self.visibility == "account" else None)


def seen_by(caller: Caller) -> str | None:
    """The user whose sight bounds what lists show; None: all of the account."""
    return None if caller.is_admin else caller.user_id


def check(caller: Caller, act: Act, standing: Standing, what: str) -> None:
    """Raise Hidden unless the caller may read it, Forbidden unless it may do that. `what` as in "job 'nightly'"."""
    if not _may_know(caller, standing):
        raise Hidden(f"there is no {what}")
    rule = RULES[act]
    caller.require(rule.scope)
    if not reaches(_level(caller, standing), act):
        raise Forbidden(f"to {act} the {what} its owner must share it with you as {rule.level}")


def may(caller: Caller, act: Act, standing: Standing) -> bool:
    known = _may_know(caller, standing)
    return known and RULES[act].scope in caller.scopes and reaches(_level(caller, standing), act)


def reaches(level: AccessLevel | None, act: Act) -> bool:
    """Whether a share of that level is enough for the act; None is none."""
    return level is not None and LEVELS.index(level) >= LEVELS.index(RULES[act].level)


def job_permissions(caller: Caller, standing: Standing, manifest: Manifest | None) -> JobPermissions:
    """What the caller may do with a job; `write` is to publish what was edited, which programs need `code` for."""
    edit = may(caller, Act.EDIT, standing)
    return JobPermissions(
        edit=edit,
        write=edit and (Scope.CODE in caller.scopes or not runs_programs(manifest)),
        delete=may(caller, Act.DELETE, standing),
        share=may(caller, Act.SHARE, standing),
    )


def require_code(caller: Caller, manifest: Manifest | None) -> None:
    """Whoever makes or changes what runs programs needs the scope `code`, whoever's job it is."""
    if runs_programs(manifest):
        caller.require(Scope.CODE)


def runs_programs(manifest: Manifest | None) -> bool:
    """Of a driver that is gone (None) nobody knows: its job may have run programs."""
    return manifest is None or manifest.runs_programs


def higher(one: AccessLevel | None, other: AccessLevel | None) -> AccessLevel | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=LEVELS.index)


def _may_know(caller: Caller, standing: Standing) -> bool:
    return caller.account_id == standing.account_id and _level(caller, standing) is not None


def _level(caller: Caller, standing: Standing) -> AccessLevel | None:
    return LEVELS[-1] if caller.is_admin else standing.level_of(caller.user_id)
