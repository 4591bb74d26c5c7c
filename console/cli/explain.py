"""`jobdeck explain JOB`."""

from __future__ import annotations

from console.cli.calling import call
from console.cli.options import JobKey, Json
from console.cli.output import Column, say, say_json, say_table
from console.render.safe import to_one_line
from shared.exits import Exit
from shared.models import Fire


def explain(job: JobKey, *, as_json: Json = False) -> int:
    """Why did a job (not) run?

    Example: jobdeck explain orders-index
    """
    answer = call(lambda client: client.jobs.explain(job))
    if as_json:
        say_json(answer)
        return Exit.OK
    for sentence in answer.standing:
        say(to_one_line(sentence))
    if answer.last_fires:
        say()
        columns = [Column("FIRE"), Column("OUTCOME"), Column("WHY"), Column("RUN", flexible=True)]
        say_table(columns, [_row(fire, why) for fire, why in answer.told_fires])
    if answer.next_fires:
        say()
        say("next: " + ", ".join(f"{moment:%Y-%m-%d %H:%M:%S}Z" for moment in answer.next_fires[:3]))
    return Exit.OK


def _row(fire: Fire, why: str) -> tuple[str, str, str, str]:
    more = f" ×{fire.count}" if fire.count > 1 else ""
    return f"{fire.fire_at:%Y-%m-%d %H:%M:%S}Z{more}", str(fire.outcome), why, fire.run_id or ""
