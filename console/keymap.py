"""Acts and their keys: one table for bindings, footer, help and palette; remapped by `[keys]` of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

Where = Literal[
    "everywhere", "list", "roster", "runs", "jobs", "audit", "schedule", "workers", "data", "catch_up",
    "entry", "run", "job", "why", "revisions", "create", "actions", "action",
]  # fmt: skip
"""Screens on which an act exists; `list` is Runs, Jobs and Audit, `roster` Schedule, Workers, Data, the missed fires and a job's revisions."""
_GROUPS: Mapping[Where, frozenset[Where]] = {
    "list": frozenset({"runs", "jobs", "audit"}),
    "roster": frozenset({"schedule", "workers", "data", "catch_up", "revisions"}),
}


@dataclass(frozen=True, slots=True)
class Act:
    """`keys` in Textual's names. `word` is for footer and palette, `about` for the help."""

    id: str
    keys: tuple[str, ...]
    word: str
    about: str
    where: frozenset[Where] = frozenset({"everywhere"})
    is_fixed: bool = False
    """Its keys belong to a widget and are not remapped."""
    scope: str = ""
    """What a token must allow for it; empty: no more than reading."""


_SCOPES: Mapping[str, frozenset[str]] = {
    "run": frozenset({"rerun", "cancel", "run_now", "release", "release_newest", "give_up", "acknowledge", "refresh"}),
    "edit": frozenset({"pause", "create", "edit", "restore", "give"}),
}


def _act(act_id: str, keys: str, word: str, about: str, *where: Where, fixed: bool = False) -> Act:
    scope = next((scope for scope, acts in _SCOPES.items() if act_id in acts), "")
    return Act(act_id, tuple(keys.split()), word, about, frozenset(where or ("everywhere",)), fixed, scope)


ACTS: Mapping[str, Act] = {
    act.id: act
    for act in (
        _act("runs", "1", "runs", "screen 1: runs, what is active on top, then failures by cause"),
        _act("jobs", "2", "jobs", "screen 2: jobs, their schedules and last twenty runs"),
        _act("schedule", "3", "schedule", "screen 3: what became of every due moment and why; jobs that behave unlike themselves"),
        _act("workers", "4", "workers", "screen 4: who works at what, and what waits for what"),
        _act("data", "5", "data", "screen 5: connections, datasets, knowledge bases (with search), secrets"),
        _act("catch_up", "m", "missed fires", "missed fires that wait for you: run all, the newest, those of a span, or none"),
        _act("audit", "a", "audit", "who did what to which job, run, token or user, and who was refused; for administrators"),
        _act("filter", "slash", "filter", "narrow the list: state:failed type:kb-sync dur>10m started<2h", "list", "roster"),
        _act("jump", "colon", "jump", "go to a job, a run or a view: `:job orders`, `:run <id>`, `:view failed`"),
        _act("next_view", "tab right_square_bracket", "next view", "the next saved view", "list", "roster"),
        _act("previous_view", "shift+tab left_square_bracket", "previous view", "the saved view before", "list", "roster"),
        _act("open", "enter", "open", "open what the cursor is on; on a cause: show or hide its runs", "list", "roster", "entry", "actions", fixed=True),
        _act("back", "escape", "back", "one step back: leave a screen, clear marks, clear the filter"),
        _act("mark", "space", "mark", "mark or unmark; acts go to what is marked", "list", "roster", fixed=True),
        _act("mark_all", "asterisk", "mark all", "mark all that match, on other pages too; again: unmark", "list", "roster", fixed=True),
        _act("first", "g home", "newest", "to the first row; lets in what is new", "list", "roster", fixed=True),
        _act("last", "G end", "last", "to the last row", "list", "roster", fixed=True),
        _act("sort", "s", "sort", "the next order", "list", fixed=True),
        _act("log", "l", "log", "the log, opened at its first error", "runs", "run"),
        _act("next_group", "n", "next cause", "to the next cause of failures", "runs"),
        _act("previous_group", "p", "previous cause", "to the cause of failures before", "runs"),
        _act("rerun", "r", "rerun", "run again what has ended, as the job is now", "runs", "run"),
        _act("cancel", "x", "cancel", "cancel what is active; what waits is cancelled a few seconds later, so that u can undo it", "runs", "run"),
        _act("run_now", "t", "run now", "run the job now", "runs", "jobs", "run", "job"),
        _act("pause", "p", "pause", "pause or resume the job's schedule", "jobs", "job"),
        _act("detail", "d", "details", "the whole job: what it does, policies, actions, next fires", "jobs"),
        _act("its_runs", "enter", "runs", "the job's runs", "job", "why"),
        _act("ledger", "f", "its fires", "the job's ledger: what became of each of its due moments", "jobs", "job", "why"),
        _act("revisions", "v", "revisions", "how the job came to be as it is, and back", "jobs", "job"),
        _act("give", "o", "give away", "make it another user's: its runs act as that user from then on", "job"),
        _act("diff", "d", "compare", "what the revision changed, or what differs from the job as it is now", "revisions"),
        _act("restore", "r", "restore", "make that revision the job's next one", "revisions"),
        _act("release", "r", "run all", "run the missed fires, one after the other under the agent's rate", "catch_up"),
        _act("release_newest", "n", "newest only", "run the newest missed fire of the job; it stands for the others", "catch_up"),
        _act("give_up", "x", "give up", "never run the missed fires", "catch_up"),
        _act("acknowledge", "o", "seen", "the sentinel is seen: it stays, without calling, until the job is as usual again", "schedule"),
        _act("test", "t", "test", "whether the connection answers, and which tables it shows", "data"),
        _act("refresh", "r", "refresh", "run the dataset's query now", "data"),
        _act("search", "f", "search", "search the knowledge base", "data"),
        _act("trail", "A", "its audit", "what was done with it, by whom", "list", "run", "entry", "job"),
        _act("create", "c", "create", "create a job from a template", "runs", "jobs"),
        _act("edit", "e", "edit", "edit the job: a draft, compared before it is published", "jobs", "job"),
        _act("go_on", "ctrl+s", "next", "the next step; at the last one: create or publish the job", "create", "actions", "action"),
        _act("open_lines", "ctrl+o", "several lines", "a long text in as many lines as it has: mail bodies, SQL, JSON", "create", "action", fixed=True),
        _act("add_action", "c", "add", "another action, behind the last", "actions"),
        _act("remove", "x delete", "take out", "take the action out", "actions"),
        _act("move_down", "J shift+down", "later", "let it run after the next one", "actions"),
        _act("move_up", "K shift+up", "earlier", "let it run before the one above", "actions"),
        _act("preview", "ctrl+r", "try it", "what the action would do with the results of the last run; nothing is done", "actions", "action"),
        _act("why", "w", "why", "why did it (not) run?", "runs", "jobs", "run", "schedule", "catch_up", "job"),
        _act("undo", "u", "undo", "take back a cancel that waits, here or asked for elsewhere, or the last pause"),
        _act("copy", "y", "copy", "copy the command line for what the cursor is on", "list", "run", "entry", "schedule", "data", "job", "why", "revisions"),
        _act("help", "question_mark", "help", "this help; type to search it"),
        _act("palette", "ctrl+p", "palette", "everything that can be done here, by name"),
        _act("redraw", "ctrl+l", "redraw", "draw the whole screen anew; without a line to the agent: try again now"),
        _act("suspend", "ctrl+z", "suspend", "to the shell; `fg` comes back"),
        _act("quit", "q ctrl+q", "quit", "leave; the agent goes on, also with cancels that wait"),
    )
}  # fmt: skip

_SIGNS = {
    "slash": "/", "colon": ":", "question_mark": "?", "asterisk": "*", "space": "space", "escape": "esc",
    "enter": "enter", "left_square_bracket": "[", "right_square_bracket": "]", "shift+tab": "⇧tab",
}  # fmt: skip


class Keymap:
    """Which keys do what. A remapping that clashes, or names an act that is not there, is left out and told in `faults`."""

    def __init__(self, wanted: Mapping[str, Sequence[str]] | None = None) -> None:
        self.faults: list[str] = []
        self._keys = {act_id: act.keys for act_id, act in ACTS.items()}
        for act_id, keys in (wanted or {}).items():
            self._remap(act_id, tuple(map(_textual_name, keys)))

    def keys(self, act_id: str) -> tuple[str, ...]:
        return self._keys[act_id]

    def sign(self, act_id: str) -> str:
        """The first key as people write it."""
        return sign_of(self._keys[act_id][0])

    def bindings(self, acts: Iterable[str]) -> list[Binding]:
        """Each calls `action_act` of the screen or app with the act's id; those of widgets are the widgets' own."""
        return [
            Binding(",".join(self._keys[act]), f"act('{act}')", ACTS[act].word, show=False)
            for act in acts
            if not ACTS[act].is_fixed
        ]

    def _remap(self, act_id: str, keys: tuple[str, ...]) -> None:
        act = ACTS.get(act_id)
        if act is None or act.is_fixed:
            self.faults.append(f"keys.{act_id}: there is no act of that name to remap")
            return
        for key in keys:
            if key.startswith("alt+"):
                self.faults.append(f"keys.{act_id}: {key} is read as esc and a key; take another")
                return
            other = self._holder(key, act)
            if other is not None:
                self.faults.append(f"keys.{act_id}: {sign_of(key)} already means {ACTS[other].word!r}")
                return
        self._keys[act_id] = keys

    def _holder(self, key: str, act: Act) -> str | None:
        """Another act that has the key where both exist."""
        for other, keys in self._keys.items():
            if other != act.id and key in keys and _meet(act.where, ACTS[other].where):
                return other
        return None


def _meet(one: frozenset[Where], other: frozenset[Where]) -> bool:
    return "everywhere" in one | other or bool(_spread(one) & _spread(other))


def _spread(where: frozenset[Where]) -> frozenset[Where]:
    return where.union(*(_GROUPS.get(each, frozenset()) for each in where))


def is_of(where: frozenset[Where], screen: str) -> bool:
    """Whether an act of these places exists on the screen of that name."""
    return screen in _spread(where)


def sign_of(key: str) -> str:
    return _SIGNS.get(key, key.replace("ctrl+", "^"))


def _textual_name(key: str) -> str:
    """`/` and `slash` are the same key."""
    names = {sign: name for name, sign in _SIGNS.items()}
    return names.get(key, key)
