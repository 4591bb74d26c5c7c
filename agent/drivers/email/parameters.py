"""Parameters of `email`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.resources.mail.addresses import MailAddress, MailAddresses, parse_address
from agent.resources.templates.limits import LONGEST
from shared.durations import Duration
from shared.models import MailServer

Text = Annotated[str, Field(max_length=LONGEST)]


class EmailParameters(BaseModel):
    """`subject`, `text` and `html` are templates; `params` are values of their own for them."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    to: MailAddresses = []
    cc: MailAddresses = []
    bcc: MailAddresses = []
    reply_to: MailAddress | None = None
    sender: Annotated[MailAddress | None, Field(alias="from")] = None
    """None: the server's."""
    subject: Annotated[str, Field(min_length=1, max_length=1000)]
    text: Text | None = None
    html: Text | None = None
    params: dict[str, Any] = {}
    server: MailServer | None = None
    """None: that of the agent's settings."""
    timeout: Duration = timedelta(seconds=60)

    @field_validator("subject")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if any(letter in value for letter in "\r\n\0"):
            raise ValueError("a subject is one line")
        return value

    @field_validator("timeout")
    @classmethod
    def _is_positive(cls, value: timedelta) -> timedelta:
        if not timedelta(0) < value <= timedelta(hours=1):
            raise ValueError("the timeout is more than nothing and at most an hour, as in '60 s'")
        return value

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            raise ValueError("`to` (or `cc`, `bcc`) is needed: who gets the mail")
        if self.text is None and self.html is None:
            raise ValueError("`text` or `html` is needed: what the mail says")
        if self.server is not None and self.sender is None:
            if self.server.sender is None:
                raise ValueError("`from` is needed: here, or in `server`")
            parse_address(self.server.sender)
        return self

    def templates(self) -> dict[str, str]:
        given = {"subject": self.subject, "text": self.text, "html": self.html}
        return {name: text for name, text in given.items() if text is not None}
