"""Any endpoint that speaks OpenAI's `POST /embeddings`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx
import numpy as np

from agent.core.driving import DriverError, RunCancelled
from agent.resources.embedders.line import Line
from agent.resources.embedders.names import EmbedderName
from agent.resources.embedders.opening import Vectors
from agent.resources.embedders.vectors import unit
from agent.resources.http.transport import AddressRefused

BATCH = 128
CONNECTIONS = 4
TRIES = 4
LONGEST_WAIT = 30.0
CANCEL_SECONDS = 0.2


class OpenAiEmbedder:
    """Texts go out in batches, a few at a time; 429, 5xx and broken connections are tried again with growing waits
    (`Retry-After` is honoured up to half a minute), then reported as transient."""

    def __init__(
        self,
        name: str,
        parsed: EmbedderName,
        secret: str | None,
        dimensions: int | None,
        cancelled: threading.Event,
        first_wait: float = 0.5,
        allowed: Sequence[str] = (),
    ) -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.name = name
        self._model = parsed.model
        self._cancelled = cancelled
        self._first_wait = first_wait
        self._line = Line(f"{parsed.base_url}/embeddings", headers, allowed)
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="embed")
        self.dimensions = dimensions or 0
        if not self.dimensions:
            self.dimensions = self._probe()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        answers = [self._threads.submit(self._embed_batch, batch) for batch in batches]
        while wait(answers, timeout=CANCEL_SECONDS, return_when=FIRST_EXCEPTION).not_done:
            if self._cancelled.is_set():
                raise RunCancelled
            if any(answer.done() and answer.exception() for answer in answers):
                break
        return unit(np.concatenate([answer.result() for answer in _failed_first(answers)]))

    def close(self) -> None:
        """A cancelled run does not wait for answers under way."""
        self._threads.shutdown(wait=not self._cancelled.is_set(), cancel_futures=True)
        self._line.close()

    def _probe(self) -> int:
        try:
            return int(self._embed_batch(["dimensions"]).shape[1])
        except BaseException:
            self.close()
            raise

    def _embed_batch(self, texts: list[str]) -> Vectors:
        # An empty input is refused by the endpoints; a space is not, and its vector is cleared again below.
        answer = self._post({"model": self._model, "input": [text or " " for text in texts]})
        vectors = self._read(answer, len(texts))
        vectors[[index for index, text in enumerate(texts) if not text.strip()]] = 0.0
        return vectors

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        trouble = ""
        for pause in (*self._waits(), None):
            after: str | None = None
            try:
                response = self._line.post(body)
            except AddressRefused as error:
                raise self._not_allowed(error) from None
            except DriverError as error:
                raise self._nonsense(error.message) from None
            except httpx.TransportError as error:
                trouble = f"cannot be reached: {error}"
            else:
                if response.status_code == 200:
                    return response
                trouble = self._refusal(response)
                after = response.headers.get("retry-after")
            if pause is not None and self._cancelled.wait(_longer(pause, after)):
                raise RunCancelled
        raise DriverError("embedder_unavailable", f"embedder '{self.name}' {trouble}", transient=True)

    def _not_allowed(self, error: AddressRefused) -> DriverError:
        where = f"{error.where} is not a public address"
        return DriverError(
            "address_refused",
            f"embedder '{self.name}': {where}; the agent's settings name such hosts (`embedder_hosts`) or networks"
            " (`allow_private_addresses`)",
        )

    def _waits(self) -> Iterator[float]:
        return (self._first_wait * 2**turn for turn in range(TRIES - 1))

    def _refusal(self, response: httpx.Response) -> str:
        said = f"answered {response.status_code}: {response.text[:300].strip() or response.reason_phrase}"
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            return said
        raise DriverError("embedder_refused", f"embedder '{self.name}' {said}")

    def _read(self, response: httpx.Response, count: int) -> Vectors:
        try:
            rows = sorted(response.json()["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._nonsense(f"not a list of embeddings ({error!r:.100})") from None
        if vectors.ndim != 2 or len(vectors) != count:
            raise self._nonsense(f"{len(rows)} embeddings for {count} texts")
        if self.dimensions and vectors.shape[1] != self.dimensions:
            raise DriverError(
                "embedder_dimensions",
                f"embedder '{self.name}' made {vectors.shape[1]} dimensions where {self.dimensions} are expected",
            )
        return vectors

    def _nonsense(self, what: str) -> DriverError:
        return DriverError("embedder_answer", f"embedder '{self.name}' answered something else: {what}")


def _failed_first(answers: list[Future[Vectors]]) -> list[Future[Vectors]]:
    """The answers as they are, or the one that failed alone, so that its error is raised without waiting."""
    failed = [answer for answer in answers if answer.done() and answer.exception()]
    return failed[:1] or answers


def _longer(pause: float, retry_after: str | None) -> float:
    try:
        asked = float(retry_after or 0)
    except ValueError:
        asked = 0.0
    return min(max(pause, asked), LONGEST_WAIT)
