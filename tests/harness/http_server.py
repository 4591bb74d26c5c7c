"""A real HTTP server on loopback that keeps what was asked of it; it answers when it is let."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpServer:
    """`answers`: the status by path, 200 otherwise; `open`: what is asked at /wait is answered once it is set."""

    port: int = 0
    seen: list[Request] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    open: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0
    """How long it thinks before it answers."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Request]:
        return [request for request in self.seen if request.path == path]


@contextmanager
def http_server() -> Iterator[HttpServer]:
    known = HttpServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            known.seen.append(Request(self.command, self.path, headers, body))
            if self.path == "/wait":
                known.open.wait(300)
            time.sleep(known.seconds)
            try:
                self.send_response(known.answers.get(self.path, 200))
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
            except OSError:  # whoever asked is gone
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    known.port = listening.server_address[1]
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield known
    finally:
        known.open.set()
        listening.shutdown()
        listening.server_close()
