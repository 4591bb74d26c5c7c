"""An agent in the foreground: started, told to stop by signals, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import structlog

from agent.app import open_agent, settle_memory
from agent.cli.service import ServiceManager
from agent.logging import set_up_logging
from agent.settings import Settings, variables
from shared.variables import meant_by, unknown_variables

_log = structlog.get_logger()
_AT_ONCE = 130


async def run_agent(settings: Settings, *, maintenance: bool, started: Callable[[], None]) -> int:
    """Run until TERM, INT or HUP; `started` is called when it answers. Returns the exit code."""
    set_up_logging(settings.log_format)
    tell_unknown_variables()
    manager = ServiceManager()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, _told_to_stop, stop, number)
    agent = await open_agent(settings, maintenance=maintenance)
    try:
        await agent.start(idle=maintenance)
        started()
        settle_memory()
        manager.ready(agent.core.store.ping)
        await stop.wait()
    finally:
        manager.stopping()
        await agent.stop()
    return 0


def tell_unknown_variables() -> None:
    """In the log, what in the environment looks like a setting and is none."""
    known = variables()
    for name in unknown_variables(os.environ, known):
        _log.warning("unknown_variable", name=name, nearest=meant_by(name, known))


def _told_to_stop(stop: asyncio.Event, number: signal.Signals) -> None:
    if stop.is_set():
        os._exit(_AT_ONCE)
    _log.info("agent_stopping", signal=number.name)
    stop.set()
