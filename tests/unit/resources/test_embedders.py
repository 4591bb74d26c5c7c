"""Embedders: the local one, and an endpoint that a real HTTP server plays."""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.core.driving import DriverError, RunCancelled
from agent.resources.embedders import Embedder, line, open_embedder, parse_embedder
from agent.resources.embedders.endpoint import OpenAiEmbedder
from agent.resources.embedders.names import Reach
from shared.errors import InvalidInput

LOOPBACK = ["127.0.0.0/8"]
Answer = tuple[int, Any, dict[str, str]]


class Endpoint:
    """Answers `POST /v1/embeddings` with vectors made of the text's length, or as `plan` says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.plan: list[Answer] = []
        self.delay = threading.Event()
        self.delay.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                endpoint.asked.append(body | {"path": self.path})
                endpoint.keys.append(self.headers["authorization"])
                endpoint.delay.wait(300)
                status, answer, headers = endpoint.plan.pop(0) if endpoint.plan else (200, embedded(body["input"]), {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.name = f"openai:test-model@http://127.0.0.1:{self._server.server_port}/v1#endpoint_key"

    def close(self) -> None:
        self.delay.set()
        self._server.shutdown()
        self._server.server_close()


def embedded(texts: list[str]) -> dict[str, Any]:
    rows = [{"index": index, "embedding": [float(len(text)), 1.0, 2.0]} for index, text in enumerate(texts)]
    return {"data": rows[::-1]}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


Opening = Callable[..., Embedder]


@pytest.fixture
def opened(endpoint: Endpoint) -> Iterator[Opening]:
    embedders: list[Embedder] = []

    def open_(cancelled: threading.Event | None = None) -> Embedder:
        parsed = parse_embedder(endpoint.name)
        embedder = OpenAiEmbedder(endpoint.name, parsed, "k3y", 3, cancelled or threading.Event(), 0.01, LOOPBACK)
        embedders.append(embedder)
        return embedder

    yield open_
    endpoint.delay.set()
    for embedder in embedders:
        embedder.close()


def test_wordllama_makes_unit_vectors_that_mean_something() -> None:
    embedder = open_embedder("wordllama", dimensions=256)
    vectors = embedder.embed(["running shoes", "sneakers for jogging", "a cup of coffee", "", " \x00"])
    assert vectors.shape == (5, 256)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors[:3], axis=1), 1)
    assert not vectors[3].any()
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_wordllama_agrees_with_its_own_pooling() -> None:
    import wordllama

    embedder = open_embedder("wordllama")
    texts = [f"{'word and ' * (n % 40)} text number {n}" for n in range(700)] + ["long " * 9000]
    ours = embedder.embed(texts)
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    assert np.abs(ours[:700] - model.embed(texts[:700], norm=True)).max() < 1e-5
    assert np.abs(ours[700:] - model.embed(texts[700:], norm=True)).max() < 1e-4


def test_wordllama_leaves_logging_alone() -> None:
    open_embedder("wordllama")
    assert logging.getLogger().level == logging.WARNING


def test_endpoint_gets_batches_and_answers_in_order(endpoint: Endpoint, opened: Opening) -> None:
    texts = ["x" * n for n in range(1, 301)]
    vectors = opened().embed(texts)
    assert sorted(len(body["input"]) for body in endpoint.asked) == [44, 128, 128]
    assert {body["path"] for body in endpoint.asked} == {"/v1/embeddings"}
    assert {body["model"] for body in endpoint.asked} == {"test-model"}
    assert set(endpoint.keys) == {"Bearer k3y"}
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[:, 0] / vectors[:, 1], range(1, 301), rtol=1e-5)


def test_endpoint_is_asked_for_its_dimensions(endpoint: Endpoint) -> None:
    embedder = open_embedder(endpoint.name, secret="k3y", allowed=LOOPBACK)
    assert embedder.dimensions == 3
    embedder.close()
    with pytest.raises(DriverError, match="made 3 dimensions where 256 are expected"):
        open_embedder(endpoint.name, dimensions=256, allowed=LOOPBACK).embed(["x"])


def test_blank_texts_are_zero(endpoint: Endpoint, opened: Opening) -> None:
    vectors = opened().embed(["", "text"])
    assert endpoint.asked[0]["input"] == [" ", "text"]
    assert not vectors[0].any()
    assert vectors[1].any()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_trouble_is_tried_again(endpoint: Endpoint, opened: Opening, status: int) -> None:
    endpoint.plan = [(status, {}, {"retry-after": "0"})] * 2
    assert opened().embed(["x"]).shape == (1, 3)
    assert len(endpoint.asked) == 3


def test_lasting_trouble_is_transient_and_says_what(endpoint: Endpoint, opened: Opening) -> None:
    endpoint.plan = [(503, {"error": "overloaded"}, {})] * 9
    with pytest.raises(DriverError, match=r"answered 503.*overloaded") as refused:
        opened().embed(["x"])
    assert (refused.value.kind, refused.value.transient) == ("embedder_unavailable", True)
    assert len(endpoint.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusals_are_permanent_and_keep_the_key_secret(endpoint: Endpoint, opened: Opening, status: int) -> None:
    endpoint.plan = [(status, {"error": "no"}, {})]
    with pytest.raises(DriverError, match=f"answered {status}") as refused:
        opened().embed(["x"])
    assert (refused.value.kind, refused.value.transient) == ("embedder_refused", False)
    assert "k3y" not in refused.value.message
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "answer", [[], {"data": []}, {"data": [{"index": 0}]}, {"data": [{"index": 0, "embedding": ["a"]}]}]
)
def test_nonsense_is_refused(endpoint: Endpoint, opened: Opening, answer: Any) -> None:
    endpoint.plan = [(200, answer, {})]
    with pytest.raises(DriverError, match="answered something else") as refused:
        opened().embed(["x"])
    assert refused.value.kind == "embedder_answer"


def test_an_answer_may_come_packed(opened: Opening, endpoint: Endpoint) -> None:
    embedder = opened()
    endpoint.plan.append((200, gzip.compress(json.dumps(embedded(["lamp"])).encode()), {"content-encoding": "gzip"}))
    assert embedder.embed(["lamp"]).shape == (1, 3)


@pytest.mark.parametrize(
    ("answer", "headers", "words"),
    [
        (lambda: gzip.compress(bytes(line.LONGEST + 1)), {"content-encoding": "gzip"}, "more than 64 MiB"),
        (lambda: b"plain", {"content-encoding": "gzip"}, "says that it is packed"),
        (lambda: b"[" * 100_000, {}, "not a list of embeddings"),
    ],
    ids=["too long", "not packed", "too deep"],
)
def test_an_answer_without_bounds_is_refused(
    opened: Opening, endpoint: Endpoint, answer: Callable[[], bytes], headers: dict[str, str], words: str
) -> None:
    embedder = opened()
    endpoint.plan.append((200, answer(), headers))
    with pytest.raises(DriverError, match=words) as refused:
        embedder.embed(["lamp"])
    assert (refused.value.kind, refused.value.transient) == ("embedder_answer", False)


def test_unreachable_endpoint_is_transient(endpoint: Endpoint, opened: Opening) -> None:
    embedder = opened()
    endpoint.close()
    with pytest.raises(DriverError, match="cannot be reached") as refused:
        embedder.embed(["x"])
    assert refused.value.transient


def test_cancel_ends_the_wait_for_an_answer(endpoint: Endpoint, opened: Opening) -> None:
    cancelled = threading.Event()
    endpoint.delay.clear()
    embedder = opened(cancelled)
    threading.Timer(0.1, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(RunCancelled):
        embedder.embed(["x"])
    assert time.monotonic() - began < 200, "it waited for the answer"


@pytest.mark.parametrize(
    "name",
    ["", "wordllama2", "openai:", "openai:m@", "openai:m@ftp://h", "openai:@http://h", "openai:m@http://u:s3cret@h/v1"],
)
def test_unknown_names_are_refused_with_the_right_forms(name: str) -> None:
    with pytest.raises(
        InvalidInput, match="write 'wordllama' or 'openai:<model>@<base url>#<name of the secret>'"
    ) as no:
        parse_embedder(name)
    assert "s3cret" not in f"{no.value} {no.value.faults[0].value}"


def test_names_are_read() -> None:
    parsed = parse_embedder("openai:text-embedding-3-small@https://api.example.com/v1/#openai_key")
    assert (parsed.model, parsed.base_url, parsed.secret) == (
        "text-embedding-3-small",
        "https://api.example.com/v1",
        "openai_key",
    )
    assert parse_embedder("openai:org/m:latest@http://localhost:11434/v1").model == "org/m:latest"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_before_anything_is_sent(endpoint: Endpoint, host: str) -> None:
    name = endpoint.name.replace("127.0.0.1", host)
    with pytest.raises(DriverError, match="embedder_hosts") as refused:
        open_embedder(name, secret="k3y")
    assert (refused.value.kind, refused.value.transient) == ("address_refused", False)
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("hosts", "url", "is_named"),
    [
        (["localhost"], "http://localhost:11434/v1", True),
        (["LOCALHOST:11434"], "http://localhost:11434/v1", True),
        (["localhost:11434"], "http://localhost:8000/v1", False),
        (["model.lan:443"], "https://model.lan/v1", True),
        (["[::1]:8080"], "http://[::1]:8080/v1", True),
        (["localhost"], "http://localhost.evil.test/v1", False),
        ([], "http://localhost/v1", False),
    ],
)
def test_only_hosts_that_the_settings_name_are_reached_wherever_they_are(
    hosts: list[str], url: str, is_named: bool
) -> None:
    found = Reach(["10.0.0.0/8"], hosts).of(f"openai:m@{url}")
    assert found == (["0.0.0.0/0", "::/0"] if is_named else ["10.0.0.0/8"])
