"""An issuer of bearers: its keys, its tokens, and a server on loopback that publishes the keys it has at the moment."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

NAME = "https://login.test/"
AUDIENCE = "jobdeck"


@dataclass
class Issuer:
    """`published` is what its document has: change it to rotate. `fetches` counts who read it; `broken`: it answers 500."""

    url: str = ""
    published: list[Key] = field(default_factory=list)
    fetches: int = 0
    broken: bool = False
    redirect_to: str | None = None

    def new_key(self, key_id: str, kind: str = "EC") -> Key:
        parameters = {"kid": key_id, "use": "sig"}
        if kind == "RSA":
            return RSAKey.generate_key(2048, parameters)
        return ECKey.generate_key("P-256", parameters)

    def document(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.published]}

    def token(self, key: Key, now: datetime, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good one but for what is given; a claim that is None is left out."""
        stamp = int(now.timestamp())
        good = {"iss": NAME, "aud": AUDIENCE, "sub": "bob", "scope": "read run", "iat": stamp, "exp": stamp + 300}
        said = {name: value for name, value in (good | claims).items() if value is not None}
        algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
        head = {"alg": algorithm, "kid": key.kid, **(header or {})}
        return jwt.encode(head, said, key, algorithms=[head["alg"]])

    def settings(self, **fields: Any) -> dict[str, Any]:
        return {"issuer": NAME, "audience": AUDIENCE, "jwks_url": self.url, **fields}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.fetches += 1
        body = json.dumps(self.document()).encode()
        status = "500 Broken" if self.broken else "302 Found" if self.redirect_to else "200 OK"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        where = f"Location: {self.redirect_to}\r\n" if self.redirect_to else ""
        writer.write(f"{head}{where}\r\n".encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def running_issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    server = await asyncio.start_server(issuer.answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    issuer.url = f"http://{host}:{port}/jwks.json"
    async with server:
        yield issuer


ROTATION = timedelta(minutes=5)
"""How long an agent takes fetched keys without asking again, unless its settings say otherwise."""
