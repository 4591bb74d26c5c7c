"""A mail as it goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from agent.resources.mail.addresses import parse_address

_LONGEST_SUBJECT = 500
_POLICY = SMTP.clone(cte_type="7bit")
"""Servers need not take eight bits."""


@dataclass(frozen=True, slots=True)
class Part:
    """An attached file."""

    name: str
    content: bytes
    kind: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Mail:
    """`key` makes the Message-ID: the same key, the same mail."""

    key: str
    sender: str
    subject: str
    at: datetime
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str | None = None
    text: str | None = None
    html: str | None = None
    parts: Sequence[Part] = field(default_factory=tuple)

    @property
    def message_id(self) -> str:
        return f"<{self.key}@{parse_address(self.sender).domain}>"

    @property
    def recipients(self) -> list[str]:
        """Of the envelope, each once."""
        everybody = [*self.to, *self.cc, *self.bcc]
        return list(dict.fromkeys(parse_address(each).addr_spec for each in everybody))

    def written(self) -> EmailMessage:
        """With headers of one line each, whatever the templates made; hidden recipients are in the envelope alone."""
        message = EmailMessage(policy=_POLICY)
        message["From"] = parse_address(self.sender)
        for header, addresses in (("To", self.to), ("Cc", self.cc)):
            if addresses:
                message[header] = _parsed(addresses)
        if self.reply_to:
            message["Reply-To"] = parse_address(self.reply_to)
        message["Subject"] = one_line(self.subject)
        message["Date"] = self.at
        message["Message-ID"] = self.message_id
        message["Auto-Submitted"] = "auto-generated"
        self._fill(message)
        return message

    def _fill(self, message: EmailMessage) -> None:
        if self.text is not None:
            message.set_content(sayable(self.text))
        if self.html is not None and self.text is not None:
            message.add_alternative(sayable(self.html), subtype="html")
        elif self.html is not None:
            message.set_content(sayable(self.html), subtype="html")
        for part in self.parts:
            main, _, sub = part.kind.partition(";")[0].partition("/")
            message.add_attachment(part.content, maintype=main, subtype=sub, filename=part.name)


def one_line(text: str) -> str:
    """Every run of blanks, line ends and control characters as one blank: no header begins in it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in sayable(text))
    return " ".join(shown.split())[:_LONGEST_SUBJECT]


def sayable(text: str) -> str:
    """Results may hold halves of surrogate pairs, which no mail can."""
    return text.encode("utf-8", "replace").decode()


def _parsed(addresses: Sequence[str]) -> tuple[Address, ...]:
    return tuple(parse_address(each) for each in addresses)
