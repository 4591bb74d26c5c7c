"""A knowledge base embedded elsewhere: its key is a secret by name that reaches the worker, the reader and no log."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.harness.agent_process import agent_process

KEY = "sk-4711-very-secret"


class Endpoint(BaseHTTPRequestHandler):
    """Speaks the embeddings route; a text's vector is made of its words, so that equal words are near."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.send_response(401)
            self.end_headers()
            return
        data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(body["input"])]
        answer = json.dumps({"data": data, "model": body["model"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Quiet."""


def vector(text: str) -> list[float]:
    found = [0.001] * 32
    for word in text.lower().split():
        found[hashlib.sha256(word.encode()).digest()[0] % 32] += 1.0
    return found


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()


def test_the_key_of_an_endpoint_is_a_secret_by_name(tmp_path: Path, endpoint: str) -> None:
    source = tmp_path / "notes.db"
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, changed INTEGER)")
        database.executemany("INSERT INTO notes VALUES (?, ?, ?)", [(1, "a violin", 1), (2, "a rowing boat", 2)])
        database.commit()
    host = json.dumps([endpoint.split("/")[2]])
    with agent_process(tmp_path / "data", "--workers", "1", env={"JOBDECK_EMBEDDER_HOSTS": host}) as agent:
        agent.call("PUT", "/api/secrets/embedder-key", {"value": KEY})
        base = {"name": "notes", "embedder": f"openai:tiny@{endpoint}#embedder-key"}
        elsewhere = base | {"embedder": "openai:tiny@http://127.0.0.1:1/v1#embedder-key"}
        refused = agent.call("POST", "/api/knowledge-bases", elsewhere, expect=400)
        assert "embedder_hosts" in refused["error"]["message"]
        assert agent.call("POST", "/api/knowledge-bases", base, expect=201)["dimensions"] == 32
        agent.call("POST", "/api/connections", {"name": "shop", "url": f"sqlite:///{source}"}, expect=201)
        data = {
            "source_table": "shop.notes",
            "knowledge_base": "notes",
            "content_columns": ["text"],
            "filter_column": "changed",
        }
        job = agent.call("POST", "/api/jobs", {"name": "Notes", "type": "kb-sync", "data": data}, expect=201)
        run = agent.call("POST", f"/api/jobs/{job['id']}")
        ended = agent.run_until(run["id"], "completed", "failed")
        assert ended["state"] == "completed", ended["error"]
        query = {"query": "violin", "mode": "vector", "limit": 1}
        (hit,) = agent.call("POST", "/api/knowledge-bases/notes/_search", query)["items"]
        assert hit["text"] == "a violin"
    found = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not found
