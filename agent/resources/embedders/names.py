"""How embedders are written: `wordllama`, or `openai:<model>@<base url>[#<name of the secret>]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared.errors import InvalidInput

WORDLLAMA = "wordllama"
WORDLLAMA_DIMENSIONS = 256
EVERYWHERE = ("0.0.0.0/0", "::/0")
_PORTS = {"http": 80, "https": 443}
_FORMS = "'wordllama' or 'openai:<model>@<base url>#<name of the secret>'"


@dataclass(frozen=True, slots=True)
class EmbedderName:
    """`base_url` None: computed in the process. `secret`: the name under which the endpoint's key is kept."""

    model: str
    base_url: str | None = None
    secret: str | None = None


def parse_embedder(text: str) -> EmbedderName:
    """Read an embedder's name; InvalidInput on `embedder` says what would be right. Imports nothing heavy."""
    if text == WORDLLAMA:
        return EmbedderName(WORDLLAMA)
    head, _, address = text.partition("@")
    scheme, _, model = head.partition(":")
    parts = urlsplit(address)
    if scheme != "openai" or not model or parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput.one("embedder", f"there is no such embedder; write {_FORMS}", _safe(text))
    if parts.username or parts.password or parts.query:
        raise InvalidInput.one("embedder", f"credentials go into a secret; write {_FORMS}", _safe(text))
    return EmbedderName(model, parts._replace(fragment="").geturl().rstrip("/"), parts.fragment or None)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where embedders may be although it is private, as the agent's settings say it: networks (CIDR), and hosts by the
    name, with or without a port, that the embedder's URL has."""

    networks: Sequence[str] = ()
    hosts: Sequence[str] = ()

    def of(self, embedder: str) -> list[str]:
        """The networks that this one may be reached in. InvalidInput for none."""
        url = parse_embedder(embedder).base_url
        return [*EVERYWHERE] if url is not None and self._is_named(url) else [*self.networks]

    def _is_named(self, url: str) -> bool:
        asked = urlsplit(url)
        port = asked.port or _PORTS[asked.scheme]
        named = [urlsplit(f"//{host}") for host in self.hosts]
        return any(each.hostname == asked.hostname and each.port in (None, port) for each in named)


def _safe(text: str) -> str:
    head, at, address = text.partition("@")
    return head + at + address.rpartition("@")[2].partition("?")[0]
