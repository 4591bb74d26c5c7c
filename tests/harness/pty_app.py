"""Run a full-screen program on a real pseudo-terminal and look at what it draws.

    with start([sys.executable, "-m", "tests.apps.table"], size=(80, 24), env={"TERM": "xterm-256color"}) as app:
                                                           # or start_warm(["--view", "failed"]): `jobdeck`, at once
        app.read_until(lambda: "ready" in app.text)        # polls; AssertionError with the screen after `deadline`
        app.send("j")                                      # keys as the terminal would send them
        before = app.received                              # bytes that came over the line so far
        app.read_for(2.0)                                  # watch for a span: for "nothing comes" only
        app.screen                                         # the pyte.Screen that all bytes were fed to
        app.raw                                            # the bytes themselves

The harness answers as a terminal would: synchronized output is reported as supported (`answer_sync=False`: not).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import pyte

from tests.harness import warm_start
from tests.harness.telling import PATIENCE, tell_state

_SYNC_QUERY = b"\x1b[?2026$p"
_SYNC_ANSWER = b"\x1b[?2026;2$y"
_FRAME_BEGINS, _FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
_CONSOLE = ("console.app", "console.client.world", "console.shell", "httpx_sse", "shared.launcher", "shared.models")
_UNSET = ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_DRIVER", "TEXTUAL_ANIMATIONS", "COLORTERM", "TERM_PROGRAM")


def start(
    argv: Sequence[str],
    size: tuple[int, int] = (80, 24),
    env: Mapping[str, str] | None = None,
    *,
    answer_sync: bool = True,
) -> PtyApp:
    """Start `argv` (an absolute path first) on a terminal of `size` columns, rows; `env` adds to the environment."""
    environment = _environment(env)
    started = time.monotonic()
    pid, line = pty.fork()
    if pid == 0:
        _become(argv, environment)
    _set_size(line, *size)
    return PtyApp(_Child(pid), line, size, started, answer_sync=answer_sync)


def start_warm(
    words: Sequence[str] = (),
    size: tuple[int, int] = (80, 24),
    env: Mapping[str, str] | None = None,
    *,
    module: str = "shared.launcher",
    answer_sync: bool = True,
) -> PtyApp:
    """The same of `jobdeck` with these words, forked from a process that has loaded the console (see `warm_start`)."""
    line, terminal = os.openpty()
    _set_size(line, *size)
    started = time.monotonic()
    with open(terminal, "r+b", buffering=0) as tty:  # noqa: PTH123 (a descriptor, no path)
        process = warm_start.start(
            words, stdin=tty, stdout=tty, stderr=tty, env=_environment(env), start_new_session=True, module=module,
            loaded=_CONSOLE,
        )  # fmt: skip
    return PtyApp(process, line, size, started, answer_sync=answer_sync)


def _environment(added: Mapping[str, str] | None) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "", "LINES": ""} | dict(added or {})
    return {name: value for name, value in environment.items() if value}


def _become(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        # The parent sets the size right after the fork; wait for it, as a login shell would find it set.
        while os.get_terminal_size(0).columns == 0:
            os.sched_yield()
        os.execve(argv[0], list(argv), dict(environment))
    finally:
        os._exit(127)


def _set_size(line: int, columns: int, rows: int) -> None:
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class _Process(Protocol):
    pid: int

    def poll(self) -> int | None: ...


class _Child:
    """A child of this process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status


class PtyApp:
    """A running program and the terminal it draws on; ends the program when the `with` block is left."""

    def __init__(
        self, process: _Process, line: int, size: tuple[int, int], started: float, *, answer_sync: bool
    ) -> None:
        self.pid = process.pid
        self.line = line
        self.screen = pyte.Screen(*size)
        self.raw = bytearray()
        self.started = started
        self.first_output: float | None = None
        self.is_over = False
        self._process = process
        self._stream = _Feed(self.screen)
        self._answer_sync = answer_sync
        self._answered = 0

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.poll()

    @property
    def received(self) -> int:
        """Bytes that came over the line so far."""
        return len(self.raw)

    @property
    def rows(self) -> list[str]:
        """The screen as text, a string a row (pyte's own `display` fails on half a wide character, in mid-frame)."""
        columns = range(self.screen.columns)
        return ["".join(self.screen.buffer[y][x].data for x in columns) for y in range(self.screen.lines)]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    def send(self, keys: str) -> None:
        os.write(self.line, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        _set_size(self.line, columns, rows)
        self.screen.resize(rows, columns)
        os.kill(self.pid, signal.SIGWINCH)

    def read_until(self, predicate: Callable[[], bool], deadline: float = PATIENCE) -> float:
        """Read until `predicate()` holds of a whole frame; seconds since the start of the program. AssertionError after
        `deadline` s."""
        ends = time.monotonic() + deadline
        while self._is_within_frame() or not predicate():
            left = ends - time.monotonic()
            if left <= 0 or self.is_over:
                raise AssertionError(
                    f"not reached (program over: {self.is_over}); screen:\n{self.text}\n{tell_state()}"
                )
            self._read_once(min(left, 0.2))
        return time.monotonic() - self.started

    def read_until_quiet(self, quiet: float = 0.25, deadline: float = PATIENCE) -> None:
        """Read until nothing came for `quiet` seconds: a frame has ended."""
        ends = time.monotonic() + deadline
        while self._read_once(quiet):
            assert time.monotonic() < ends, f"never quiet; screen:\n{self.text}"

    def read_for(self, seconds: float) -> int:
        """Watch the line for a span and return the bytes that came."""
        before, ends = self.received, time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._read_once(left)
        return self.received - before

    def _is_within_frame(self) -> bool:
        return not self.is_over and self.raw.rfind(_FRAME_BEGINS) > self.raw.rfind(_FRAME_ENDS)

    def _read_once(self, timeout: float) -> bool:
        if self.is_over or not select.select([self.line], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.line, 65536)
        except OSError:
            data = b""
        if not data:
            self.is_over = True
            return False
        self.first_output = self.first_output or time.monotonic() - self.started
        self.raw += data
        self._stream.feed(data)
        self._answer()
        return True

    def _answer(self) -> None:
        asked = self.raw.count(_SYNC_QUERY)
        if self._answer_sync and asked > self._answered:
            self._answered = asked
            os.write(self.line, _SYNC_ANSWER)

    def cpu_seconds(self) -> float:
        """Processor time of the program so far, all threads: what a busy machine does not change."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def is_running(self) -> bool:
        return self.status is None

    def close(self) -> int | None:
        """End the program if it still runs; its exit status."""
        if self.is_running():
            os.kill(self.pid, signal.SIGTERM)
        ends = time.monotonic() + 20.0
        while self.is_running():
            self._read_once(0.05)
            if time.monotonic() > ends:
                os.kill(self.pid, signal.SIGKILL)
        os.close(self.line)
        return self.status

    def __enter__(self) -> PtyApp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_UNKNOWN = re.compile(rb"\x1b\[(?:[<>=][0-9;]*[a-z]|\?[0-9;]*\$p)")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;<>=?$]*)?$")


class _Feed:
    """Takes out what pyte would print as text: the kitty keyboard protocol and mode queries."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._stream = pyte.ByteStream(screen)
        self._held = b""

    def feed(self, data: bytes) -> None:
        data = self._held + data
        unfinished = _UNFINISHED.search(data)
        cut = unfinished.start() if unfinished else len(data)
        self._held = data[cut:]
        self._stream.feed(_UNKNOWN.sub(b"", data[:cut]))


def replay(data: bytes, columns: int, rows: int) -> pyte.Screen:
    """A fresh terminal that was fed `data`."""
    screen = pyte.Screen(columns, rows)
    _Feed(screen).feed(data)
    return screen


def cells_of(screen: pyte.Screen) -> list[list[tuple[str, ...]]]:
    """All that can be seen, cell by cell: character, colours and attributes. A blank shows no colour of its own."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(cell: pyte.screens.Char) -> tuple[str, ...]:
    marks = tuple(name for name in ("underscore", "strikethrough", "reverse") if getattr(cell, name))
    if cell.data == " " and not marks:
        return (" ", cell.bg)
    marks += tuple(name for name in ("bold", "italics", "blink") if getattr(cell, name))
    return (cell.data, cell.fg, cell.bg, *marks)
