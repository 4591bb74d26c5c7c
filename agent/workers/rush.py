"""Workers that begin a crowd of runs at one word."""

from __future__ import annotations

from agent.workers.link import Link

EACH, LONGEST = 0.0003, 0.08
"""Seconds for each run laid in a worker, and at most, in which it begins them before it is listened to."""


class Rush:
    """None of the workers is listened to before all have begun what was laid in them: what the agent would make of the
    first words is in the way of the last runs."""

    def __init__(self) -> None:
        self._links: list[Link] = []
        self._at_work = 0

    def add(self, link: Link, laid: int) -> None:
        """A worker that was just told to begin so many; each says one thing at its end."""
        self._links.append(link)
        self._at_work += 1
        link.gather(laid, min(laid * EACH, LONGEST), self._one_is_through)

    def _one_is_through(self) -> None:
        self._at_work -= 1
        if not self._at_work:
            for link in self._links:
                link.end_gathering()
