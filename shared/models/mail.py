"""A mail server, as jobs and the agent's settings name it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Host = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
OneLine = Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00]*$", max_length=500)]
TlsMode = Literal["starttls", "tls", "none"]

PORTS: dict[TlsMode, int] = {"starttls": 587, "tls": 465, "none": 25}


class MailServer(BaseModel):
    """`secret` names the secret that is the user's password; `sender` (`from` in JSON) stands in each mail unless it
    names its own. `port` None: the mode's usual one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: TlsMode = "starttls"
    user: OneLine | None = None
    secret: OneLine | None = None
    sender: Annotated[OneLine | None, Field(alias="from")] = None

    @model_validator(mode="after")
    def _has_user_and_secret(self) -> MailServer:
        if (self.user is None) != (self.secret is None):
            raise ValueError("`user` and `secret` (the name of the password's secret) go together")
        if self.user is not None and self.tls == "none":
            raise ValueError("a password is not sent without TLS; use `starttls` or `tls`")
        return self
