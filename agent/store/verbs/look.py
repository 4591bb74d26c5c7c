"""One look at the store: within it, what was asked is not asked again.

For who checks a thousand definitions: each asks for the same limits, connections and shares, and an answer from memory
costs a hundredth of a hand-over to a reader. What changes meanwhile is not seen: an act checks it again in its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from shared.errors import NotFound, Unreadable

Question = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function of the store's and what it is called with, but for the connection."""
Answers = Mapping[Question, Any]
"""NotFound or Unreadable as an answer is raised."""


class Look:
    def __init__(self) -> None:
        self._known: dict[Question, Any] = {}

    def knows(self, question: Question) -> bool:
        return question in self._known

    def answer(self, question: Question) -> Any:
        """The same object to everybody who asks: nobody may change it."""
        answer = self._known[question]
        if isinstance(answer, NotFound | Unreadable):
            raise type(answer)(answer.message)
        return answer

    def learn(self, answers: Answers) -> None:
        self._known.update(answers)


_LOOK: ContextVar[Look | None] = ContextVar("look", default=None)


def look() -> Look | None:
    """The one that this task is within."""
    return _LOOK.get()


@contextmanager
def looking() -> Iterator[None]:
    before = _LOOK.set(Look())
    try:
        yield
    finally:
        _LOOK.reset(before)


def is_simple(values: tuple[Any, ...]) -> bool:
    """What can be told apart by value; lists of rows are not remembered."""
    return all(isinstance(value, str | int | None) for value in values)
