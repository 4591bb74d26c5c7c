"""A real SMTP server on loopback that keeps what it takes, and refuses as it is told."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.harness.telling import PATIENCE


@dataclass
class Taken:
    sender: str
    recipients: list[str]
    message: EmailMessage
    secure: bool
    user: str | None


@dataclass
class MailBox:
    """`refuse`: what is answered to RCPT of an address; `at_end`: to the mail itself."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    at_end: str | None = None
    hang: bool = False
    implicit: bool = False
    connections: int = 0

    async def handle_EHLO(  # noqa: N802 (names that aiosmtpd looks for)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hang:
            await asyncio.sleep(3600)
        if self.at_end is not None:
            return self.at_end
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        user = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else None
        sender = envelope.mail_from or ""
        self.taken.append(
            Taken(sender, list(envelope.rcpt_tos), message, session.ssl is not None or self.implicit, user)
        )
        return "250 taken"


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, password: str | None = None
) -> Iterator[MailBox]:
    """`tls`: by STARTTLS, or from the start where it is `implicit`. `password`: of anybody, needed."""
    box = MailBox(implicit=implicit)
    loop = asyncio.new_event_loop()

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password.decode() == password, auth_data=data, handled=False)

    controller = UnthreadedController(
        box,
        hostname="0.0.0.0",
        port=0,
        loop=loop,
        ssl_context=tls if implicit else None,
        tls_context=None if implicit else tls,
        authenticator=authenticate if password else None,
        auth_required=password is not None and not implicit,
        auth_require_tls=not implicit,
    )
    ready = threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        controller.begin()
        ready.set()
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        controller.end()
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    assert controller.server is not None
    box.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
