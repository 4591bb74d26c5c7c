"""Hands a mail to its server: a connection to an address that may be reached, TLS as asked for, each refusal by name."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import aiosmtplib
from aiosmtplib import errors

from agent.core.driving import DriverError, RunContext
from agent.resources.cancelling import run_unless_cancelled
from agent.resources.http.guard import is_allowed
from agent.resources.mail.addresses import parse_address
from agent.resources.mail.message import Mail
from shared.models import MailServer
from shared.models.mail import PORTS

_ANSWER = 300
"""Characters of a server's answer that are repeated."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`refused`: what the server said of each address that it did not take; the others have the mail."""

    accepted: list[str]
    refused: dict[str, str]
    answer: str


@dataclass(frozen=True, slots=True)
class Way:
    """To which server, with which password; `trusted`: it may be reached wherever it is. `limit`: seconds for all."""

    server: MailServer
    password: str | None
    trusted: bool
    limit: float

    @property
    def port(self) -> int:
        return self.server.port or PORTS[self.server.tls]


def send(context: RunContext, mail: Mail, content: bytes, way: Way) -> Delivery:
    """DriverError(kind='unreachable' | 'timeout' | 'address_refused' | 'tls' | 'login' | 'refused'), transient where
    trying again may help: no connection, or an answer of 4xx."""
    return run_unless_cancelled(context, _send(context, mail, content, way))


async def _send(context: RunContext, mail: Mail, content: bytes, way: Way) -> Delivery:
    where = f"{way.server.host}:{way.port}"
    try:
        async with asyncio.timeout(way.limit):
            return await _exchange(mail, content, way, await _connected(context, way))
    except errors.SMTPAuthenticationError as error:
        raise _refusal("login", f"{where} does not take the user {way.server.user!r}", error) from None
    except errors.SMTPRecipientsRefused as error:
        said = "; ".join(f"{each.recipient}: {_said(each)}" for each in error.recipients[:5])
        transient = all(_may_pass(each) for each in error.recipients)
        raise DriverError("refused", f"{where} takes no recipient: {said}", transient=transient) from None
    except errors.SMTPResponseException as error:
        raise _refusal("refused", f"{where} refuses the mail", error) from None
    except (errors.SMTPTimeoutError, TimeoutError):
        raise DriverError("timeout", f"{where} did not take the mail within {way.limit:g} s", transient=True) from None
    except (ssl.SSLError, errors.SMTPException, OSError) as error:
        raise _broken(where, error) from None


async def _exchange(mail: Mail, content: bytes, way: Way, connection: socket.socket) -> Delivery:
    server = way.server
    smtp = aiosmtplib.SMTP(
        hostname=server.host,
        port=None,
        sock=connection,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=None if server.tls == "none" else ssl.create_default_context(),
        username=server.user,
        password=way.password,
        local_hostname=_own_name(),
        timeout=way.limit,
    )
    try:
        await smtp.connect()
        refused, answer = await smtp.sendmail(parse_address(mail.sender).addr_spec, mail.recipients, content)
        with contextlib.suppress(errors.SMTPException, OSError):  # it has the mail
            await smtp.quit()
    finally:
        smtp.close()  # no farewell that somebody who cancels would wait for
    told = {address: _short(f"{response.code} {response.message}") for address, response in refused.items()}
    return Delivery([each for each in mail.recipients if each not in told], told, _short(answer))


async def _connected(context: RunContext, way: Way) -> socket.socket:
    """To an address that was looked at: a name that is resolved anew may lead elsewhere."""
    found = await asyncio.get_running_loop().getaddrinfo(way.server.host, way.port, type=socket.SOCK_STREAM)
    addresses = [
        each for each in found if way.trusted or is_allowed(ip_address(each[4][0]), context.allow_private_addresses)
    ]
    if not addresses:
        refused = ", ".join(str(each[4][0]) for each in found)
        where = refused if refused == way.server.host else f"{way.server.host} ({refused})"
        message = (
            f"{where} is not a public address; the agent's settings allow"
            " mail servers by name (`smtp_hosts`) or network (`allow_private_addresses`)"
        )
        raise DriverError("address_refused", message)
    return await _first_that_answers(addresses)


async def _first_that_answers(addresses: Sequence[tuple[int, int, int, str, tuple[object, ...]]]) -> socket.socket:
    last: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, address)
        except OSError as error:
            connection.close()
            last = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    assert last is not None
    raise last


def _refusal(kind: str, what: str, error: errors.SMTPResponseException) -> DriverError:
    return DriverError(kind, f"{what}: {_said(error)}", transient=_may_pass(error))


def _broken(where: str, error: BaseException) -> DriverError:
    cause = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    if isinstance(cause, ssl.SSLError) or "STARTTLS" in str(error):
        return DriverError("tls", f"{where}: {cause}")
    # what is neither is something that the server cannot do, as log a user in
    gone = isinstance(error, OSError | errors.SMTPServerDisconnected)
    message = f"{where}: {_short(str(error)) or type(error).__name__}"
    return DriverError("unreachable" if gone else "refused", message, transient=gone)


def _may_pass(error: errors.SMTPResponseException) -> bool:
    return 400 <= error.code < 500


def _said(error: errors.SMTPResponseException) -> str:
    return _short(f"{error.code} {error.message}")


def _short(text: str) -> str:
    return " ".join(text.split())[:_ANSWER]


def _own_name() -> str:
    """What the server is greeted with; a machine's name may be anything."""
    name = socket.gethostname()
    return name if re.fullmatch(r"[A-Za-z0-9.-]{1,200}", name) else "localhost"
