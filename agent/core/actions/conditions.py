"""Run conditions: one expression over the results of the steps before, compiled when a job is published.

`results["main"]["rows_synced"] > 0 and ok("notify")`. What there is: `results` (by action id or name, the job's own
driver as `main`), the functions of `_functions`, comparison, `and`, `or`, `not`, `in`, `if else`, + - * / // % of
numbers, constants and lists of them. There are no attributes, no powers, no calls of anything else, and no loops, so an
expression takes no longer than its length allows.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from simpleeval import InvalidExpression, SimpleEval  # type: ignore[import-untyped]

from agent.core.actions.steps import Steps

LONGEST = 1000
"""Characters of a condition."""
DEEPEST = 30
_BIGGEST = 10**18
"""Of a number that the condition itself writes."""

_ASKING = ("ok", "failed", "skipped", "get")
"""Functions whose first argument names a step."""
_NAMES = ("results", "True", "False", "None")


class ConditionError(Exception):
    """The condition cannot be read, or cannot be answered with these results; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Condition:
    text: str
    _tree: ast.Expr

    def holds(self, steps: Steps) -> bool:
        """ConditionError where it asks for what the results do not have."""
        return bool(self.value(steps))

    def value(self, steps: Steps) -> Any:
        try:
            return _Evaluator(steps).eval(self.text, self._tree)
        except KeyError as error:
            raise ConditionError(
                f"there is no {error} in the results; get(step, path, default) takes a default"
            ) from None
        except (InvalidExpression, TypeError, IndexError, ArithmeticError, ValueError, RecursionError) as error:
            raise ConditionError(str(error) or type(error).__name__) from None


def compile_condition(text: str, steps: Collection[str] | None = None) -> Condition:
    """ConditionError says what is wrong with it, and where. `steps`: ids and names of the steps before; one that the
    condition names and that is none of them is refused."""
    if len(text) > LONGEST:
        raise ConditionError(f"it is {len(text)} characters long; at most {LONGEST} are read")
    tree = _parsed(text)
    _require_shallow(tree)
    for node in ast.walk(tree.value):
        _require_known(node)
    if steps is not None:
        _require_steps(tree, steps)
    return Condition(text, tree)


def _parsed(text: str) -> ast.Expr:
    if not text.strip():
        raise ConditionError("it is empty; leave it out if the action is always to run")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text.strip(), mode="exec").body
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ConditionError(f"it is not an expression{where}: {error.msg}") from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise ConditionError(f"it cannot be read: {error or 'it is nested too deeply'}") from None
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise ConditionError("it is a statement; write one expression that is true or false")
    return body[0]


def _require_shallow(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise ConditionError(f"it is nested deeper than {DEEPEST} levels")


def _require_known(node: ast.AST) -> None:
    if isinstance(node, ast.Attribute):
        raise ConditionError(f'there are no attributes; write ["{node.attr}"] instead of .{node.attr}')
    if isinstance(node, ast.Call):
        _require_plain_call(node)
    elif isinstance(node, ast.Name):
        if node.id not in (*_NAMES, *_FUNCTIONS):
            raise ConditionError(f"there is no {node.id!r}; there are results, {', '.join(_FUNCTIONS)}")
    elif isinstance(node, ast.Constant):
        _require_small(node.value)
    elif not isinstance(node, _ALLOWED):
        raise ConditionError(f"{type(node).__name__} has no place in a condition")


def _require_plain_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
        raise ConditionError(f"only these are called: {', '.join(_FUNCTIONS)}")
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ConditionError(f"{node.func.id} takes its arguments by place")
    low, high = _FUNCTIONS[node.func.id]
    if not low <= len(node.args) <= high:
        raise ConditionError(f"{node.func.id} takes {low if low == high else f'{low} to {high}'} arguments")


def _require_small(value: object) -> None:
    if not isinstance(value, str | int | float | bool | None):
        raise ConditionError(f"{type(value).__name__} has no place in a condition")
    if isinstance(value, int) and abs(value) > _BIGGEST:
        raise ConditionError("a number in it is too large")


def _require_steps(tree: ast.AST, steps: Collection[str]) -> None:
    for key in _steps_named(tree):
        if key not in steps:
            raise ConditionError(f"{key!r} is no step before it; there are {', '.join(steps)}")


def _steps_named(tree: ast.AST) -> Iterator[str]:
    """Those that stand in it as plain text."""
    for node in ast.walk(tree):
        named: ast.AST | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKING:
            named = node.args[0]
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "results":
            named = node.slice
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            yield named.value


def _functions(steps: Steps) -> dict[str, Callable[..., Any]]:
    def ended(state: str) -> Callable[[str], bool]:
        return lambda key: (done := steps.find(key)) is not None and done.state == state

    def get(key: str, path: str, default: Any = None) -> Any:
        """The value at a dotted path of a step's result, as in `items.0.state`; `default` where there is none."""
        done = steps.find(key)
        value: Any = done.result if done else {}
        for part in str(path).split("."):
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return default
        return value

    return {
        "ok": ended("completed"),
        "failed": ended("failed"),
        "skipped": ended("skipped"),
        "any_failed": steps.any_failed,
        "get": get,
        "len": len,
    }


def _of_numbers(act: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Texts and lists could be multiplied, and formats filled, without end."""

    def act_on(left: object, right: object) -> Any:
        for value in (left, right):
            if not isinstance(value, int | float):
                raise TypeError(f"arithmetic is for numbers; {type(value).__name__} is none")
        return act(left, right)

    return act_on


_FUNCTIONS = {"ok": (1, 1), "failed": (1, 1), "skipped": (1, 1), "any_failed": (0, 0), "get": (2, 3), "len": (1, 1)}
"""How many arguments each takes: at least, at most."""

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _of_numbers(operator.add),
    ast.Sub: _of_numbers(operator.sub),
    ast.Mult: _of_numbers(operator.mul),
    ast.Div: _of_numbers(operator.truediv),
    ast.FloorDiv: _of_numbers(operator.floordiv),
    ast.Mod: _of_numbers(operator.mod),
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: operator.contains(whole, part),
    ast.NotIn: lambda part, whole: not operator.contains(whole, part),
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}
_ALLOWED = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Subscript, ast.List, ast.Tuple,
    ast.Load, *_OPERATORS,
)  # fmt: skip


class _Evaluator(SimpleEval):  # type: ignore[misc]  # the library has no types
    nodes: dict[type[ast.AST], Callable[[Any], Any]]

    def __init__(self, steps: Steps) -> None:
        names = {"results": steps.results(), "True": True, "False": False, "None": None}
        super().__init__(operators=_OPERATORS, functions=_functions(steps), names=names)
        allowed = {ast.Expr, ast.Call, ast.Name, ast.Constant, *_ALLOWED}
        self.nodes = {kind: act for kind, act in self.nodes.items() if kind in allowed}
        self.nodes[ast.List] = self.nodes[ast.Tuple] = lambda node: [self._eval(part) for part in node.elts]

    def _check_disallowed_items(self, item: object) -> None:
        """Nothing but JSON comes in: looking through all results at every node would be the only slow thing here."""
