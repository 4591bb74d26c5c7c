"""The reader process: searches knowledge bases away from the agent's loop.

Started by `agent.resources.knowledge.client` as `python -I -m agent.resources.knowledge.reader`. One JSON object a
line comes in on standard input, `{"id", "op", …}`, and one goes out on standard output for each, in the order in
which they are done: `{"id", "result"}` or `{"id", "error": {"kind", "message"}}`. It ends when its input ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

from agent.core.driving import DriverError
from agent.resources.embedders import Embedder, Vectors, open_embedder
from agent.resources.knowledge.search import KnowledgeSearch

THREADS = 4
MOST_OPEN = 64
"""Knowledge bases that are kept open, of which each takes files and memory; the one that was asked longest ago goes."""


class Reader:
    """Keeps what it has opened: one KnowledgeSearch for each folder and embedder."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._writing = threading.Lock()
        self._opening = threading.Lock()
        self._open: OrderedDict[tuple[Path, str, int], KnowledgeSearch] = OrderedDict()
        self._operations: dict[str, Callable[[dict[str, Any]], Any]] = {
            "search": self._search,
            "count": self._count,
            "forget": self._forget,
        }

    def serve(self, requests: TextIO) -> None:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="search") as threads:
            for line in requests:
                request = json.loads(line)
                if request["op"] == "ping":
                    self._answer({"id": request["id"], "result": "pong"})
                else:
                    threads.submit(self._handle, request)

    def _handle(self, request: dict[str, Any]) -> None:
        try:
            answer = {"result": self._operations[request["op"]](request)}
        except DriverError as error:
            answer = {"error": {"kind": error.kind, "message": error.message}}
        except Exception as error:  # one bad search must not end the others
            answer = {"error": {"kind": "search", "message": f"{type(error).__name__}: {error}"}}
        self._answer({"id": request["id"], **answer})

    def _answer(self, answer: dict[str, Any]) -> None:
        line = json.dumps(answer) + "\n"
        with self._writing:
            self._output.write(line)
            self._output.flush()

    def _search(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        searched = self._opened(request)
        if searched is None:
            return []
        vector = None if request["mode"] == "text" else _vector(request)
        return searched.search(request["query"], vector, request["mode"], request["limit"], request["filter"])

    def _count(self, request: dict[str, Any]) -> tuple[int, int]:
        searched = self._opened(request)
        return searched.count() if searched else (0, 1)

    def _forget(self, request: dict[str, Any]) -> None:
        folder = Path(request["folder"])
        with self._opening:
            for place in [place for place in self._open if place[0] == folder]:
                self._open.pop(place).close()

    def _opened(self, request: dict[str, Any]) -> KnowledgeSearch | None:
        """None while the base has no file: nothing was ever written to it."""
        place = (Path(request["folder"]), request["embedder"], request["dimensions"])
        with self._opening:
            found = self._open.get(place)
            if found is None or not found.is_current():
                if found:
                    self._open.pop(place).close()
                try:
                    found = self._open[place] = KnowledgeSearch(*place)
                except FileNotFoundError:
                    return None
            self._open.move_to_end(place)
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            return found


def _vector(request: dict[str, Any]) -> Vectors:
    networks = tuple(request.get("networks", ()))
    embedder = _embedder(request["embedder"], request["dimensions"], request.get("secret"), networks)
    vector: Vectors = embedder.embed([request["query"]])[0]
    return vector


@lru_cache(maxsize=8)
def _embedder(name: str, dimensions: int, secret: str | None, networks: tuple[str, ...]) -> Embedder:
    return open_embedder(name, secret=secret, dimensions=dimensions, allowed=networks)


def main() -> None:
    # Nothing that a library prints may get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    Reader(answers).serve(sys.stdin)


if __name__ == "__main__":
    main()
