"""`api-call` against a real HTTP server on loopback, in a real worker.

127.0.0.2 stands for an allowed address, 127.0.0.1 for a private one: the server hears on both.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from agent.core.wire import Ended
from agent.drivers.api_call.manifest import MANIFEST
from agent.drivers.api_call.parameters import ApiCallParameters
from tests.acceptance.workers.stage import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ENTRY = MANIFEST.entry
_ALLOWED = ["127.0.0.2/32"]


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    reached: str


@dataclass
class Server:
    port: int
    seen: list[Seen] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    """To which address each was made, whether anything was asked or not."""
    release: threading.Event = field(default_factory=threading.Event)
    says: tuple[bytes, dict[str, str]] = (b"", {})

    def url(self, path: str, host: str = "127.0.0.2") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    """Answers: /status/N, /json, /big, /redirect?to=URL, /loop, /hang, /says what the test has set."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            known.seen.append(Seen(self.command, self.path, headers, body, self.connection.getsockname()[0]))
            if self.path.startswith("/status/"):
                self._answer(int(self.path.split("/")[2]), b"said the server", {"Retry-After": "7"})
            elif self.path.startswith("/redirect?to="):
                self._answer(307, b"", {"Location": self.path.split("=", 1)[1]})
            elif self.path == "/loop":
                self._answer(302, b"", {"Location": "/loop"})
            elif self.path == "/big":
                self._answer(200, b"x" * 3_000_000, {})
            elif self.path == "/says":
                self._answer(200, *known.says)
            elif self.path == "/hang":
                known.release.wait(300)
                self.close_connection = True
            else:
                self._answer(200, json.dumps({"ok": True, "items": [{"state": "done"}]}).encode(), {})

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 (names that http.server looks for)

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        def get_request(self) -> tuple[socket.socket, Any]:
            connection, peer = super().get_request()
            known.connections.append(connection.getsockname()[0])
            return connection, peer

    listening = Listening(("0.0.0.0", 0), Handler)
    listening.daemon_threads = True
    known = Server(listening.server_address[1])
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield known
    known.release.set()
    listening.shutdown()
    listening.server_close()


async def _call(stage: Stage, data: dict[str, Any], **fields: Any) -> Ended:
    return await stage.run(fields.pop("entry", _ENTRY), data, **{"allow_private_addresses": _ALLOWED, **fields})


def _kind(ended: Ended) -> tuple[str, bool]:
    assert ended.error is not None, ended
    return ended.error.kind, ended.error.transient


async def test_a_request_goes_out_as_it_was_written(stage: Stage, server: Server) -> None:
    data = {
        "method": "POST",
        "url": server.url("/json?a=1"),
        "query": {"b": ["2", "3"]},
        "headers": {"X-One": "1", "Authorization": {"secret": "key", "prefix": "Bearer "}},
        "json": {"hello": "wörld"},
        "expect": {
            "status": [200],
            "json": [{"path": "ok", "equals": True}, {"path": "items.0.state", "equals": "done"}],
        },
    }
    assert MANIFEST.needs(ApiCallParameters.model_validate(data)).secrets == ("key",)
    run = await stage.give(_ENTRY, data, secrets={"key": "hush"}, allow_private_addresses=_ALLOWED)
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert ended.result is not None
    assert ended.result["status"] == 200
    assert ended.result["json"]["items"] == [{"state": "done"}]
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/json?a=1&b=2&b=3")
    assert seen.headers["authorization"] == "Bearer hush"
    assert seen.headers["x-one"] == "1"
    assert seen.headers["idempotency-key"] == run
    assert json.loads(seen.body) == {"hello": "wörld"}


async def test_every_attempt_has_the_same_idempotency_key(stage: Stage, server: Server) -> None:
    order = {"run_id": "the-run", "allow_private_addresses": _ALLOWED}
    for attempt in (1, 2):
        stage.endings.clear()
        await stage.run(_ENTRY, {"method": "POST", "url": server.url("/json"), "text": "x"}, attempt=attempt, **order)
    assert [seen.headers["idempotency-key"] for seen in server.seen] == ["the-run", "the-run"]


@pytest.mark.parametrize(("status", "transient"), [(500, True), (503, True), (429, True), (404, False), (304, False)])
async def test_only_what_may_pass_is_transient(stage: Stage, server: Server, status: int, transient: bool) -> None:
    ended = await _call(stage, {"url": server.url(f"/status/{status}")})
    assert _kind(ended) == ("http_status", transient)
    assert ended.error is not None
    assert f"status {status}, expected 200-299" in ended.error.message


async def test_expectations_decide(stage: Stage, server: Server) -> None:
    assert (
        await _call(stage, {"url": server.url("/status/404"), "expect": {"status": ["400-499"]}})
    ).outcome == "completed"
    for condition, words in [
        ({"path": "ok", "equals": 1}, "ok is true, expected 1"),
        ({"path": "items.1", "equals": 1}, "nothing at items.1"),
    ]:
        ended = await _call(stage, {"url": server.url("/json"), "expect": {"json": [condition]}})
        assert _kind(ended) == ("answer", False)
        assert ended.error is not None
        assert words in ended.error.message


async def test_nobody_there_is_transient(stage: Stage, server: Server) -> None:
    ended = await _call(stage, {"url": "http://127.0.0.2:1/"})
    assert _kind(ended) == ("unreachable", True)


async def test_a_silent_server_times_out(stage: Stage, server: Server) -> None:
    ended = await _call(stage, {"url": server.url("/hang"), "timeout": "300 ms"})
    assert _kind(ended) == ("timeout", True)


async def test_cancel_works_while_waiting(stage: Stage, server: Server) -> None:
    run = await stage.give(_ENTRY, {"url": server.url("/hang")}, allow_private_addresses=_ALLOWED, kill_grace=600)
    await until(lambda: server.seen)
    stage.executor.cancel(run)
    ending = await stage.ending(run)
    assert ending.ended is not None
    assert ending.ended.outcome == "cancelled"


async def test_a_large_answer_is_cut(stage: Stage, server: Server) -> None:
    ended = await _call(stage, {"url": server.url("/big")})
    assert ended.result is not None
    assert ended.result["truncated"] is True
    assert ended.result["bytes"] == 1024 * 1024
    assert len(ended.result["body"]) == 4096


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", "grüße".encode()),
        ("text/plain; charset=iso-8859-1", "grüße".encode("latin-1")),
        ("text/plain; charset=base64", "grüße".encode()),
        ('text/plain; charset="no such"', "grüße".encode()),
    ],
)
async def test_a_text_is_read_in_the_encoding_that_it_says(
    stage: Stage, server: Server, kind: str, body: bytes
) -> None:
    server.says = body, {"Content-Type": kind}
    ended = await _call(stage, {"url": server.url("/says")})
    assert ended.result is not None
    assert ended.result["body"] == "grüße"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"ok": NaN}', None),
        (b'{"ok": 1e999}', None),
        (b"[" * 500 + b"]" * 500, None),
        (b"[" * 8000 + b"]" * 8000, None),
        (b'{"ok": 1.5e3}', {"ok": 1500.0}),
    ],
    ids=["NaN", "infinite", "deep", "deeper than Python", "plain"],
)
async def test_what_the_store_cannot_keep_is_no_value(stage: Stage, server: Server, body: bytes, shown: Any) -> None:
    server.says = body, {}
    ended = await _call(stage, {"url": server.url("/says")})
    assert ended.outcome == "completed", ended
    assert ended.result is not None
    assert ended.result.get("json") == shown
    ended = await _call(stage, {"url": server.url("/says"), "expect": {"json": [{"path": "ok", "equals": 1}]}})
    assert _kind(ended) == ("answer", False)


def _packed(megabytes: int) -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    return b"".join(packing.compress(bytes(1024 * 1024)) for _ in range(megabytes)) + packing.flush()


async def test_an_answer_is_unpacked_as_far_as_it_is_kept(stage: Stage, server: Server) -> None:
    packed = {"Content-Encoding": "gzip"}
    server.says = gzip.compress(b'{"ok": true}'), packed
    ended = await _call(stage, {"url": server.url("/says")})
    assert ended.result is not None
    assert ended.result["json"] == {"ok": True}
    server.says = _packed(100), packed
    ended = await _call(stage, {"url": server.url("/says")})
    assert ended.result is not None
    assert (ended.result["bytes"], ended.result["truncated"]) == (1024 * 1024, True)


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", b"plain", "says that it is packed (gzip), but"),
        ("gzip, gzip", gzip.compress(_packed(2)), "is packed (gzip, gzip)"),
        ("br", b"\x0b", "is packed (br)"),
    ],
    ids=["not", "twice", "otherwise"],
)
async def test_what_cannot_be_unpacked_is_said(
    stage: Stage, server: Server, coding: str, body: bytes, words: str
) -> None:
    server.says = body, {"Content-Encoding": coding}
    ended = await _call(stage, {"url": server.url("/says")})
    assert _kind(ended) == ("answer", False)
    assert ended.error is not None
    assert words in ended.error.message


@pytest.mark.parametrize("secret", ["one\r\nX-Evil: two", "pässwort"])
async def test_a_secret_that_no_header_can_carry_is_named(stage: Stage, server: Server, secret: str) -> None:
    data = {"url": server.url("/json"), "headers": {"X-Key": {"secret": "key"}}}
    ended = await _call(stage, data, secrets={"key": secret})
    assert _kind(ended) == ("request", False)
    assert ended.error is not None
    assert "the secret 'key' cannot be sent in a header" in ended.error.message
    assert server.seen == []


async def test_redirects_are_followed_up_to_the_limit(stage: Stage, server: Server) -> None:
    ended = await _call(stage, {"url": server.url("/redirect?to=/json")})
    assert ended.result is not None
    assert ended.result["url"].endswith("/json")
    server.seen.clear()
    ended = await _call(stage, {"url": server.url("/loop"), "redirects": 3})
    assert _kind(ended) == ("redirects", False)
    assert len(server.seen) == 4
    ended = await _call(stage, {"url": server.url("/loop"), "redirects": 0, "expect": {"status": [302]}})
    assert ended.outcome == "completed"


async def test_secrets_do_not_follow_to_another_host(stage: Stage, server: Server) -> None:
    target = server.url("/json", host="127.0.0.3")
    data = {"url": server.url(f"/redirect?to={target}"), "headers": {"X-Key": {"secret": "key"}}}
    ended = await _call(stage, data, secrets={"key": "hush"}, allow_private_addresses=["127.0.0.2/31"])
    assert ended.outcome == "completed", ended
    assert [("x-key" in seen.headers) for seen in server.seen] == [True, False]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "10.0.0.1", "169.254.169.254", "[fd00::1]", "[64:ff9b::7f00:1]", "[fec0::1]"],
)  # fmt: skip
async def test_private_addresses_are_refused_in_every_spelling(stage: Stage, server: Server, host: str) -> None:
    ended = await _call(stage, {"url": server.url("/json", host=host)}, allow_private_addresses=[])
    assert _kind(ended) == ("address_refused", False)
    assert ended.error is not None
    assert host.strip("[]") in ended.error.message
    assert server.seen == []


async def test_what_is_behind_a_refused_name_is_not_even_connected_to(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        ended = await _call(stage, {"url": f"http://localhost:{inside.getsockname()[1]}/"})
        assert _kind(ended) == ("address_refused", False)
        assert ended.error is not None
        assert "localhost (" in ended.error.message
        with pytest.raises(BlockingIOError):
            inside.accept()


async def test_a_redirect_to_a_private_address_is_refused(stage: Stage, server: Server) -> None:
    target = server.url("/json", host="127.0.0.1")
    ended = await _call(stage, {"url": server.url(f"/redirect?to={target}")})
    assert _kind(ended) == ("address_refused", False)
    assert [seen.reached for seen in server.seen] == ["127.0.0.2"]


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://xn--a/", "http://0177.0.0.1/", "http://[::1/", "http://a..b/", "//a:b/"]
)
async def test_a_redirect_to_another_scheme_or_to_no_host_is_refused(stage: Stage, server: Server, target: str) -> None:
    url = server.url(f"/redirect?to={target}")
    ended = await _call(stage, {"url": url})
    assert _kind(ended) == ("request", False)
    assert ended.error is not None
    assert ended.error.message == f"307 from {url} redirects to {target!r}, where no request can be sent"
    ended = await _call(stage, {"url": url, "redirects": 0, "expect": {"status": [307]}})
    assert ended.outcome == "completed", "who follows none takes it as it is"


@pytest.mark.parametrize(
    ("answers", "path", "reached"),
    [
        (["127.0.0.2", "127.0.0.1"], "/json", ["127.0.0.2"]),
        (["127.0.0.1 127.0.0.2"], "/json", ["127.0.0.2"]),
        (["127.0.0.1"], "/json", []),
        (["127.0.0.2", "127.0.0.1"], "/redirect?to=/json", ["127.0.0.2"]),
    ],
    ids=["later", "beside", "only", "redirected"],
)
async def test_a_name_that_leads_inside_is_not_followed_there(
    stage: Stage, server: Server, answers: list[str], path: str, reached: list[str]
) -> None:
    """Nor connected to: that would tell which ports are open inside."""
    data = {"url": f"http://rebind.test:{server.port}{path}", "answers": answers}
    ended = await _call(stage, data, entry="jobdeck_test_drivers:call_rebound")
    if path == "/json" and reached:
        assert ended.outcome == "completed", ended
        assert server.seen[0].headers["host"] == f"rebind.test:{server.port}"
    else:
        assert _kind(ended) == ("address_refused", False)
    assert server.connections == [seen.reached for seen in server.seen] == reached


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "url"),
        ({"url": "ftp://example.org"}, "http or https"),
        ({"url": "example.org"}, "http or https"),
        ({"url": "http://example.org:99999/"}, "not a URL"),
        ({"url": "http://0177.0.0.1/"}, "'0177.0.0.1' is neither a host's name nor an address"),
        ({"url": "http://256.1.1.1/"}, "'256.1.1.1' is neither"),
        ({"url": "http://xn--a/"}, "'xn--a' is neither"),
        ({"url": "http://a..b/"}, "'a..b' is neither"),
        ({"url": "http://.a/"}, "'.a' is neither"),
        ({"url": f"http://{'a' * 64}.org/"}, "aaa.org' is neither"),
        ({"url": f"http://{'abc.' * 64}org/"}, "abc.org' is neither"),
        ({"url": "https://user:pw@example.org"}, "no place for credentials"),
        ({"url": "http://exa\nmple.org/"}, "which no URL has"),
        ({"url": " http://example.org/"}, "which no URL has"),
        ({"url": "http://example.org/\ud800"}, "url"),
        ({"url": "https://example.org", "headers": {"A": "b\r\nC: d"}}, "A cannot be 'b\\r\\nC: d'; write one line"),
        ({"url": "https://example.org", "headers": {"A": "Zürich"}}, "one line of ASCII characters"),
        ({"url": "https://example.org", "headers": {"A": "a\x01"}}, "one line of ASCII characters"),
        ({"url": "https://example.org", "headers": {"A": " a"}}, "without a blank before it"),
        ({"url": "https://example.org", "headers": {"A": "a "}}, "leave out the blank after it"),
        (
            {"url": "https://example.org", "headers": {"A": {"secret": "s", "prefix": "B\n"}}},
            "one line of ASCII characters",
        ),
        ({"url": "https://example.org", "headers": {"Content-Length": "3"}}, "set by the request"),
        ({"url": "https://example.org", "json": {}, "text": ""}, "not both"),
        ({"url": "https://example.org", "timeout": "0 s"}, "timeout"),
        ({"url": "https://example.org", "expect": {"status": ["2xx"]}}, "status"),
        ({"url": "https://example.org", "retries": 3}, "retries"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(data: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ApiCallParameters.model_validate(data)
    assert words in str(refused.value)
