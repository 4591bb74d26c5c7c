"""The agent's own log: text for people or JSON for machines."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

from agent.log_stream import LogStream
from shared.terminal import fenced


def set_up_logging(log_format: str, stream: TextIO | None = None) -> None:
    """`text` or `json`, to standard error unless a stream is given; called once, at start."""
    out = stream or cast("TextIO", LogStream(_standard_error()))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(log_format, colors=out.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _take_in_libraries()


def set_up_logging_to_file(path: Path) -> None:
    """For an agent that shares its terminal with something else."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    set_up_logging("text", cast("TextIO", LogStream(file)))


def _standard_error() -> int:
    """Where whoever started the agent has closed it, its number is soon another file's: then the log goes nowhere."""
    stream: TextIO | None = sys.stderr
    return os.open(os.devnull, os.O_WRONLY) if stream is None else stream.fileno()


def _rendering(log_format: str, *, colors: bool) -> list[structlog.typing.Processor]:
    """Tracebacks without the values of variables: those may be secrets."""
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain), _fence]


def _fence(_logger: Any, _method: str, line: Any) -> str:
    """Names and messages come from anywhere, and the log is read in a terminal."""
    return fenced(str(line))


def _take_in_libraries() -> None:
    """What libraries log goes the same way, from warnings on: by itself it would go to standard error, past the format,
    and wait there for a reader. What anybody can cause by sending nonsense to the server is not logged at all."""
    root = logging.getLogger()
    if not any(isinstance(handler, _Libraries) for handler in root.handlers):
        root.addHandler(_Libraries(logging.WARNING))
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell("library_says", library=record.name, message=message, exc_info=record.exc_info)
