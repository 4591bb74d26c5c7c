"""Where issuers publish their keys: a URL, reached as outgoing requests are, or a file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.core.identity.keys import KeySource
from agent.identity_settings import IssuerSettings
from shared.errors import Unavailable

_SECONDS = 5.0
_MOST_BYTES = 256 * 1024


def issuer_keys(issuer: IssuerSettings, allowed: Sequence[str]) -> KeySource:
    """`allowed`: private networks (CIDR) that may be reached."""
    if issuer.jwks_file is not None:
        return _File(issuer.jwks_file)
    return _Url(issuer.jwks_url or "", allowed)


class _Url:
    def __init__(self, url: str, allowed: Sequence[str]) -> None:
        self._url = url
        self._allowed = allowed

    async def fetch(self) -> dict[str, Any]:
        """No redirects, no proxies, one answer of bounded size in bounded time; Unavailable says what went wrong."""
        import httpx

        try:
            async with asyncio.timeout(_SECONDS):
                return _document(self._url, await self._read())
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise Unavailable(f"{self._url} cannot be read: {error or type(error).__name__}") from error

    async def _read(self) -> bytes:
        from agent.resources.http.transport import guarded_client

        async with (
            guarded_client(self._allowed, timeout=_SECONDS) as client,
            client.stream("GET", self._url, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise Unavailable(f"{self._url} answers {answer.status_code}")
            read = bytearray()
            async for chunk in answer.aiter_bytes():
                read += chunk
                if len(read) > _MOST_BYTES:
                    raise Unavailable(f"{self._url} answers more than {_MOST_BYTES} bytes")
            return bytes(read)


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self) -> dict[str, Any]:
        try:
            return _document(str(self._path), await asyncio.to_thread(self._path.read_bytes))
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror}") from error


def _document(where: str, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unavailable(f"{where} is no JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise Unavailable(f"{where} is no JWKS document: it has no list of keys")
    return document
