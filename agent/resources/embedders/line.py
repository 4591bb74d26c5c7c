"""The way to an embedder's endpoint, for threads that wait: its connections are guarded as all outgoing ones are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from agent.resources.http.guard import guarded

TIMEOUT = httpx.Timeout(60.0, connect=10.0)


class Line:
    """The guard knows asynchronous clients only, so the client lives in a loop of its own. No proxies out of the
    environment: they would resolve names beyond the guard. `allowed`: private networks (CIDR) that may be reached."""

    def __init__(self, url: str, headers: Mapping[str, str], allowed: Sequence[str]) -> None:
        self._url = url
        verify = httpx.create_ssl_context() if url.startswith("https:") else False
        client = httpx.AsyncClient(
            headers=dict(headers), timeout=TIMEOUT, follow_redirects=False, verify=verify, trust_env=False
        )
        self._client = guarded(client, allowed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedder-line", daemon=True)
        self._thread.start()

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """From any thread. httpx.RequestError, of which SSRFProtectionError is one."""
        return asyncio.run_coroutine_threadsafe(self._client.post(self._url, json=body), self._loop).result()

    def close(self) -> None:
        """What is under way is given up."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        going = asyncio.all_tasks() - {asyncio.current_task()}
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        await self._client.aclose()
