"""The agent's own log: text for people or JSON for machines."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog


def set_up_logging(log_format: str, stream: TextIO | None = None) -> None:
    """`text` or `json`, to standard error unless a stream is given; called once, at start."""
    out = _Unfailing(stream or sys.stderr)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(log_format, out),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", out)),
        cache_logger_on_first_use=True,
    )


def set_up_logging_to_file(path: Path) -> None:
    """For an agent that shares its terminal with something else."""
    set_up_logging("text", path.open("a", buffering=1, encoding="utf-8"))


class _Unfailing:
    """A stream that nobody who logs can fail on: the disk that is full for the log is full for what the log tells of,
    and who says so must be able to go on. The first line afterwards says that lines are missing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._failed = ""

    def write(self, text: str) -> int:
        try:
            if self._failed:
                self._stream.write(f"lines of this log are missing here: {self._failed}\n")
                self._failed = ""
            self._stream.write(text)
        except (OSError, ValueError) as error:
            self._failed = str(error)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._failed = str(error)

    def isatty(self) -> bool:
        return self._stream.isatty()


def _rendering(log_format: str, out: _Unfailing) -> list[structlog.typing.Processor]:
    """Tracebacks without the values of variables: those may be secrets."""
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)]
