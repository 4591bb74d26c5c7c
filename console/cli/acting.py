"""Cancelling and running again, one or many: what was named or found, with the versions that were seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from console.cli.calling import call, confirm
from console.cli.output import note, say, say_json
from console.cli.wording import state_of
from console.client import AgentClient
from console.client.answers import BulkAct, BulkItem
from shared.errors import Conflict, InvalidInput, NotFound
from shared.exits import Exit
from shared.ids import is_id, run_number
from shared.models import Run
from shared.states import ACTIVE, FINAL

_AT_MOST = 5_000
"""Runs that one command acts on; a filter that finds more is refused rather than half done."""

_FITTING = {"cancel": ACTIVE, "rerun": FINAL}


def act_on_runs(
    act: BulkAct, ids: Sequence[str], where: str | None, *, yes: bool, as_json: bool, own_revision: bool = False
) -> int:
    """Ask, act, say what became of each. CONFLICT if any was refused."""
    if bool(ids) == bool(where):
        raise InvalidInput.one("RUN", "name runs, or give --filter; not both", " ".join(ids))
    seen = call(lambda client: _see(client, act, ids, where))
    if not seen:
        note(f"no run to {act}")
        return Exit.OK
    if act == "cancel" or len(seen) > 1:
        confirm(f"{act} {_described(seen)}?", yes=yes)
    named = [(run.id, run.version) for run in seen]
    items = call(lambda client: client.runs.bulk(act, named, own_revision=own_revision))
    if as_json:
        say_json(items)
    else:
        _say_items(act, items)
    return Exit.OK if all(item.ok for item in items) else Exit.CONFLICT


async def _see(client: AgentClient, act: BulkAct, ids: Sequence[str], where: str | None) -> list[Run]:
    """The runs as they are now. Named ones must fit; of a filter's only those that do are meant."""
    if where is None:
        found_by_id = {run.id: run for run in [await client.runs.named(_key(key)) for key in dict.fromkeys(ids)]}
        named = list(found_by_id.values())
        wrong = [run for run in named if run.state not in _FITTING[act]]
        if wrong:
            raise Conflict(f"cannot {act} " + ", ".join(f"#{run.number} ({run.state})" for run in wrong))
        return named
    found = [run async for run in client.runs.every(where=where, at_most=_AT_MOST + 1)]
    if len(found) > _AT_MOST:
        raise InvalidInput.one("--filter", f"finds more than {_AT_MOST:,} runs; narrow it", where)
    return [run for run in found if run.state in _FITTING[act]]


def _key(text: str) -> str:
    """A job's name would mean another run by the time that it is acted on."""
    if not is_id(text) and run_number(text) is None:
        raise NotFound(
            f"there is no run '{text}': write a run's number, as `jobdeck run list` shows it, or give --filter"
        )
    return text


def _described(seen: Sequence[Run]) -> str:
    if len(seen) == 1:
        return f"the {state_of(seen[0])} run of '{seen[0].job_name}'"
    states = Counter(state_of(run) for run in seen)
    return f"{len(seen):,} runs (" + ", ".join(f"{count:,} {state}" for state, count in states.items()) + ")"


def _say_items(act: BulkAct, items: Sequence[BulkItem]) -> None:
    for item in items:
        if not item.ok:
            note(f"jobdeck: {item.id}: {item.error.message if item.error else 'refused'}")
        elif item.run is None or act == "cancel":
            say(item.id if item.run is None else f"{item.id}  {state_of(item.run)}")
        else:
            say(item.run.id)
