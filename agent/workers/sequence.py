"""A run of several steps: the job's own driver, then its actions in order, each when its condition holds.

What a step has brought is stored in the run's checkpoint before the next one begins, so that a further attempt goes on
at the first step that is not over: that can only be the one that was under way, or whose end was on its way. It is done
at least once, under the same idempotency key.
"""

from __future__ import annotations

import json
import traceback
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.core.actions.conditions import ConditionError, compile_condition
from agent.core.actions.steps import MAIN, StepDone, Steps, names_of
from agent.core.driving import DriverError, RunCancelled
from agent.core.wire import ActionOrder
from agent.workers.calling import RESULT_LIMIT, call_driver
from agent.workers.context import WorkerContext
from agent.workers.plain import text_of
from agent.workers.stage import StageContext, named_lines


class Saved(BaseModel):
    """The checkpoint of a run with actions. `own`: what the driver of the step `at` saved last."""

    model_config = ConfigDict(extra="ignore")

    done: dict[str, StepDone] = {}
    at: str = MAIN
    own: dict[str, Any] | None = None


def run_steps(context: WorkerContext) -> dict[str, Any]:
    """The run's result: that of the job's own driver, and `actions` with what became of each.

    A failed action fails the run with the kind `<action>.<kind>`, unless it says `continue`: then it is a warning.
    """
    return _Sequence(context).run()


class _Sequence:
    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._actions = context.order.actions
        self._saved = _read(context.checkpoint)
        self._steps = Steps(self._saved.done, names_of((action.id, action.name) for action in self._actions))
        self._at, self._own = self._saved.at, self._saved.own
        self._titles = {MAIN: context.order.type, **{action.id: action.name for action in self._actions}}

    def run(self) -> dict[str, Any]:
        self._tell_done()
        if MAIN not in self._steps.done:
            self._run_main()
        for action in self._actions:
            if action.id not in self._steps.done:
                self._context.check_cancelled()
                self._run_action(action)
        return self._result()

    def _tell_done(self) -> None:
        for step, done in self._steps:
            title = self._titles.get(step, step)
            self._context.note_step(step, title, "skipped", f"{done.state} in an earlier attempt")

    def _run_main(self) -> None:
        order = self._context.order
        with self._context.step(MAIN, order.type) as handle:
            try:
                result = call_driver(self._context, self._stage(None), order.entry, order.data)
            except DriverError as error:
                handle.message(error.message)
                raise
            handle.result(result)
        self._close(MAIN, _completed(result))

    def _run_action(self, action: ActionOrder) -> None:
        try:
            why = self._why_not(action)
        except DriverError as error:
            self._context.note_step(action.id, action.name, "failed", error.message)
            self._fail(action, error)
            return
        if why is not None:
            self._context.log(f"[{action.name}] skipped: {why}")
            self._context.note_step(action.id, action.name, "skipped", why)
            self._close(action.id, StepDone(state="skipped", message=why))
            return
        try:
            result = self._call(action)
        except DriverError as error:
            self._fail(action, error)
        else:
            self._close(action.id, _completed(result))

    def _why_not(self, action: ActionOrder) -> str | None:
        """Why it is left out; None: it is to run."""
        if action.condition is None:
            return None
        try:
            holds = compile_condition(action.condition).holds(self._steps)
        except ConditionError as error:
            raise DriverError("condition", f"its condition {action.condition} cannot be answered: {error}") from None
        return None if holds else f"its condition is false: {action.condition}"

    def _call(self, action: ActionOrder) -> dict[str, Any]:
        """Whatever goes wrong comes out as a DriverError. What was before it, and that it begins, is stored before it
        does."""
        with self._context.step(action.id, action.name) as handle:
            self._save_position(action.id)
            self._context.settle()
            try:
                result = call_driver(self._context, self._stage(action), action.entry, action.data)
                self._require_room(result)
            except RunCancelled:
                raise
            except DriverError as error:
                self._heed_cancel(action, error)
                handle.message(error.message)
                raise
            except BaseException as error:  # SystemExit and KeyboardInterrupt are a driver's failures like any other
                trace = "".join(traceback.format_exception(error)).rstrip()
                self._context.log(named_lines(action.name, trace), level="error")
                message = f"{type(error).__name__}: {text_of(error)}"
                handle.message(message)
                raise DriverError("error", message) from error
            handle.result(result)
            return result

    def _heed_cancel(self, action: ActionOrder, error: DriverError) -> None:
        """A failure after the cancel was asked for comes of it."""
        if self._context.cancelled.is_set():
            self._context.log(f"[{action.name}] while stopping: {error.kind}: {error.message}", level="warning")
            raise RunCancelled from error

    def _require_room(self, result: dict[str, Any]) -> None:
        taken = sum(len(str(done.result)) for _, done in self._steps) + len(str(result))
        if taken > RESULT_LIMIT:
            message = f"the results of the steps are together larger than {RESULT_LIMIT} characters"
            raise DriverError("result_too_large", message)

    def _fail(self, action: ActionOrder, error: DriverError) -> None:
        message = self._context.masking.text(error.message)
        if action.on_error == "continue":
            self._context.log(f"[{action.name}] failed: {error.kind}: {message}; the run goes on", level="warning")
            self._context.warn(f"{action.name} failed: {message}")
            self._close(action.id, StepDone(state="failed", message=message, result={"error": error.kind}))
            return
        failed = StepDone(state="failed", message=message, result={"error": error.kind})
        self._steps.done[action.id] = failed
        raise DriverError(
            f"{action.name}.{error.kind}",
            f"{action.name} ({action.type}): {error.message}",
            transient=error.transient,
            result=self._result(),
        ) from error

    def _close(self, step: str, done: StepDone) -> None:
        """On its way to the agent, whatever becomes of the worker."""
        self._steps.done[step] = done
        self._own = None
        self._save_position(step)

    def _save_position(self, step: str) -> None:
        self._at = step
        self._save_own(self._own)
        self._context.flush()

    def _stage(self, action: ActionOrder | None) -> StageContext:
        step = action.id if action else MAIN
        own = self._own if self._saved.at == step else None
        self._at = step
        return StageContext(self._context, action, self._steps, own, self._save_own)

    def _save_own(self, data: dict[str, Any] | None) -> None:
        self._own = data
        whole = Saved(done=self._steps.done, at=self._at, own=data)
        self._context.save_checkpoint(whole.model_dump())

    def _result(self) -> dict[str, Any]:
        main = self._steps.done.get(MAIN, StepDone(state="completed")).result
        return {**main, "actions": [self._told(action) for action in self._actions if action.id in self._steps.done]}

    def _told(self, action: ActionOrder) -> dict[str, Any]:
        done = self._steps.done[action.id]
        told: dict[str, Any] = {"id": action.id, "name": action.name, "type": action.type, "state": done.state}
        if done.message:
            told["message"] = done.message
        return {**told, "result": done.result or None}


def _completed(result: dict[str, Any]) -> StepDone:
    """Its result as plain JSON, which is what a later attempt would get of it."""
    return StepDone(state="completed", result=json.loads(json.dumps(result, default=str)))


def _read(checkpoint: dict[str, Any] | None) -> Saved:
    """A checkpoint that is none of a sequence cannot be gone on from."""
    if checkpoint is None:
        return Saved()
    try:
        return Saved.model_validate(checkpoint)
    except ValidationError as error:
        raise DriverError("checkpoint", f"the checkpoint of the attempt before cannot be read: {error}") from None
