"""What all members of a pool share, and what each is started with."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import IO, Any

from agent.core.ports import EndSink, EventSink, ReturnSink
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all members of a pool share."""

    command: list[str]
    environment: dict[str, str]
    settings: dict[str, Any]
    clock: Clock
    on_event: EventSink
    on_end: EndSink
    on_return: ReturnSink
    output: IO[bytes]

    def start(self, link: int, control: int) -> subprocess.Popen[bytes]:
        """A keeper with its worker; the numbers of the open sockets that they speak over."""
        settings = {**self.settings, "link": link, "control": control}
        return subprocess.Popen(  # noqa: S603 (its own interpreter and module)
            [*self.command, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            pass_fds=(link, control),
            env=self.environment,
            start_new_session=True,  # a Ctrl-C at the agent's terminal is for the agent
        )
