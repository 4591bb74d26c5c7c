"""The way to an embedder's endpoint, for threads that wait: its connections are guarded as all outgoing ones are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from agent.core.driving import DriverError
from agent.resources.http.transport import guarded_client
from agent.resources.http.unpacking import unpacker

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
LONGEST = 64 * 1024 * 1024
"""Bytes of an answer, unpacked: several times what the largest batch of the largest models takes."""
_OF_THE_WAY = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers that tell how a body came, not what it is."""


class Line:
    """The guard knows asynchronous clients only, so the client lives in a loop of its own. `allowed`: private networks
    (CIDR) that may be reached."""

    def __init__(self, url: str, headers: Mapping[str, str], allowed: Sequence[str]) -> None:
        self._url = url
        verify = httpx.create_ssl_context() if url.startswith("https:") else False
        headers = {"Accept-Encoding": "gzip, deflate", **headers}
        self._client = guarded_client(allowed, verify=verify, timeout=TIMEOUT, headers=headers)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedder-line", daemon=True)
        self._thread.start()

    def post(self, body: dict[str, Any]) -> httpx.Response:
        """From any thread. httpx.RequestError, of which AddressRefused is one; DriverError(kind='answer') for what
        is longer than LONGEST, or cannot be unpacked."""
        return asyncio.run_coroutine_threadsafe(self._post(body), self._loop).result()

    def close(self) -> None:
        """What is under way is given up."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        async with self._client.stream("POST", self._url, json=body) as response:
            unpack = unpacker(response.headers.get("content-encoding", ""))
            kept = bytearray()
            async for part in response.aiter_raw():
                kept += unpack(part, LONGEST + 1 - len(kept))
                if len(kept) > LONGEST:
                    raise DriverError("answer", f"more than {LONGEST // 2**20} MiB")
        headers = [pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_THE_WAY]
        return httpx.Response(response.status_code, headers=headers, content=bytes(kept))

    async def _end(self) -> None:
        going = asyncio.all_tasks() - {asyncio.current_task()}
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        await self._client.aclose()
