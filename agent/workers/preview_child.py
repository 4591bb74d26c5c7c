"""The process in which it is tried out what an action would do: it has no secret, no connection and little time.

Reads a task as JSON from standard input (`PreviewTask`), writes `{"holds", "would", "problem"}` to standard output.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from agent.core.actions.conditions import ConditionError, compile_condition
from agent.core.actions.steps import StepDone, Steps
from agent.core.driving import DriverError, RunContext
from agent.core.wire import ActionOrder
from agent.workers.entries import load, parameters
from agent.workers.preview_context import PreviewContext
from shared.models import MailServer

CPU_SECONDS = 10
MEMORY = 1024 * 1024 * 1024


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    task = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: PTH123, SIM115  (what a driver prints is no answer)
    json.dump(_answer(task), out, default=str)
    out.flush()


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    action = ActionOrder.model_validate(task["action"])
    done = {step: StepDone.model_validate(each) for step, each in task["steps"].items()}
    context = PreviewContext(
        run_id=task["run_id"],
        job_id=task["job_id"],
        job_name=task["job_name"],
        action=action,
        steps=Steps(done, task["names"]),
        tail=task["log_tail"],
        mail_server=MailServer.model_validate(task["mail_server"]) if task["mail_server"] else None,
        scratch=Path(task["scratch"]),
    )
    answer: dict[str, Any] = {"holds": None, "would": None, "problem": None}
    try:
        if action.condition is not None:
            answer["holds"] = compile_condition(action.condition).holds(context.steps)
    except ConditionError as error:
        answer["problem"] = f"condition: {error}"
    try:
        answer["would"] = _would(task["preview"], action, context)
    except DriverError as error:
        answer["problem"] = answer["problem"] or f"{error.kind}: {error.message}"
    except Exception as error:  # a driver may raise anything
        answer["problem"] = answer["problem"] or f"{type(error).__name__}: {error}"
    return answer


def _would(preview: str | None, action: ActionOrder, context: RunContext) -> dict[str, Any]:
    """What the type itself tells; else its parameters, as a run would get them."""
    _, checked = parameters(action.entry, action.data)
    if preview is None:
        return {"data": action.data}
    function, _ = load(preview)
    return function(context, checked)


if __name__ == "__main__":
    main()
