"""What an action would do, were its job to run now: told from the results of its last run, and nothing is done."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from agent.core.actions.changing import find
from agent.core.actions.conditions import ConditionError, compile_condition
from agent.core.actions.planning import action_orders, key_of, labels_of
from agent.core.actions.steps import MAIN, StepDone, names_of
from agent.core.definitions.editing import Editing
from agent.core.definitions.parameters import parse_parameters
from agent.core.driving import LOG_TAIL
from agent.core.permissions.callers import Caller
from agent.core.ports import Blobs, Drivers, LogStore, Previewer, RunStore
from agent.core.ports.previewing import Previewed, PreviewTask
from agent.core.records import RunQuery
from shared.errors import InvalidInput, NotFound
from shared.models import Draft, Job, JobInput, MailServer, Run
from shared.models.base import Resource


class ActionPreview(Resource):
    """`holds`: what its condition says over the results of `based_on_run_id`; None: it has none, or none can be told.
    `would`: what it would do, as its type tells it; `problem`: why it would fail, or cannot be told."""

    action_id: str
    type: str
    name: str
    condition: str | None = None
    holds: bool | None = None
    based_on_run_id: str | None = None
    would: dict[str, Any] | None = None
    problem: str | None = None


class Previews:
    def __init__(
        self,
        editing: Editing,
        store: RunStore,
        logs: LogStore,
        drivers: Drivers,
        blobs: Blobs,
        previewer: Previewer,
        mail_server: MailServer | None,
    ) -> None:
        self._editing = editing
        self._store = store
        self._logs = logs
        self._drivers = drivers
        self._blobs = blobs
        self._previewer = previewer
        self._mail_server = mail_server

    async def preview(self, caller: Caller, key: str, action_id: str) -> ActionPreview:
        definition, head = await self._editing.definition(caller, key)
        place, action = find(definition, action_id)
        run = await self._last_run(caller, head)
        shown = ActionPreview(
            action_id=action_id,
            type=action.type,
            name=labels_of(definition.actions)[place],
            condition=action.condition,
            based_on_run_id=run.id if run else None,
        )
        try:
            parse_parameters(self._drivers.get(action.type), action.data)
            if action.condition is not None:
                compile_condition(action.condition)
            task = await self._task(caller, definition, head, place, run)
        except InvalidInput as error:
            return shown.model_copy(update={"problem": error.message})
        except ConditionError as error:
            return shown.model_copy(update={"problem": f"condition: {error}"})
        return _filled(shown, await self._previewer.preview(task))

    async def _task(
        self, caller: Caller, definition: JobInput, head: Job | Draft, place: int, run: Run | None
    ) -> PreviewTask:
        only = definition.model_copy(update={"actions": [definition.actions[place]]})
        order = action_orders(self._drivers, self._blobs, caller.account_id, only)[0]
        before = definition.actions[:place]
        keys = [key_of(action, number) for number, action in enumerate(before)]
        takes_log = any(attachment.type == "log" for attachment in order.attachments)
        return PreviewTask(
            job_id=head.id,
            job_name=definition.name,
            run_id=run.id if run else "run",
            action=order,
            preview=self._drivers.get(order.type).preview,
            steps=_steps_of(run, keys),
            names=names_of((key, action.name) for key, action in zip(keys, before, strict=True)),
            log_tail=await self._log_tail(run) if run is not None and takes_log else [],
            mail_server=self._mail_server,
        )

    async def _last_run(self, caller: Caller, head: Job | Draft) -> Run | None:
        """The newest that has brought something; of a draft, of the job that it is an edit of, as long as the caller may
        read that."""
        job_id = head.id if isinstance(head, Job) else head.editing_id
        if job_id is None:
            return None
        with suppress(NotFound):
            await self._editing.head(caller, job_id)
            return await self._newest(caller, job_id)
        return None

    async def _newest(self, caller: Caller, job_id: str) -> Run | None:
        found = await self._store.list_runs(RunQuery(caller.account_id, job_id=job_id, limit=20))
        return next((run for run in found if run.result is not None), None)

    async def _log_tail(self, run: Run) -> list[str]:
        return [line.text for line in (await self._logs.read(run.id, start=-LOG_TAIL, limit=LOG_TAIL)).lines]


def _steps_of(run: Run | None, keys: list[str]) -> dict[str, StepDone]:
    if run is None or run.result is None:
        return {}
    result = {name: value for name, value in run.result.items() if name != "actions"}
    steps = {MAIN: StepDone(state="completed", result=result)}
    told = run.result.get("actions")
    for each in told if isinstance(told, list) else ():
        if isinstance(each, dict) and each.get("id") in keys:
            state, message = each.get("state", "completed"), each.get("message", "")
            steps[each["id"]] = StepDone(state=state, result=each.get("result") or {}, message=message)
    return steps


def _filled(shown: ActionPreview, found: Previewed) -> ActionPreview:
    return shown.model_copy(update={"holds": found.holds, "would": found.would, "problem": found.problem})
