"""Runs the program: output to the log, cancel to all its processes, exit status to the result."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from typing import IO, Any

from agent.core.driving import DriverError, RunContext
from agent.core.running.lines import Lines
from agent.drivers.command.parameters import CommandParameters
from agent.drivers.command.progress import parse_progress
from agent.drivers.command.start import start

REST = 0.1
"""Seconds between two looks at whether it is over or cancelled, while it writes nothing."""
LAST_OUTPUT = 0.5
"""Seconds that what the program left running may still write after the program itself is over."""


def run(context: RunContext, parameters: CommandParameters) -> dict[str, Any]:
    """DriverError(kind='exit_status') unless it exits with a code of success; transient for `transient_exit_codes`."""
    program = start(context, parameters)
    output = _Output(context, program, parameters.output_limit_mb * 1024 * 1024)
    try:
        _attend(context, program, output)
    finally:
        output.finish()
    context.check_cancelled()
    result = _result(program.returncode, output)
    if program.returncode not in parameters.success_exit_codes:
        raise _failure(context, program.returncode, parameters, output.last_error)
    return result


def _attend(context: RunContext, program: subprocess.Popen[bytes], output: _Output) -> None:
    asked = False
    while program.poll() is None:
        if not asked and context.cancelled.is_set():
            asked = True
            count = context.signal_programs(signal.SIGTERM)
            context.signal_programs(signal.SIGCONT)  # a stopped process would not get to see it
            context.log(f"TERM to {count} process{'es' if count != 1 else ''}", level="warning")
        if not output.pump(REST):
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(REST)
        _reap_orphans(program.pid)
    end = context.clock.monotonic() + LAST_OUTPUT
    while context.clock.monotonic() < end and output.pump(REST):
        pass


def _reap_orphans(program: int) -> None:
    """Orphans of the program become children of this process; one that starts many would fill the process table."""
    with contextlib.suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid != program:
            os.waitpid(dead.si_pid, os.WNOHANG)


def _result(code: int, output: _Output) -> dict[str, Any]:
    died_of = signal.Signals(-code).name if code < 0 else None
    counts = {"stdout_lines": output.counts["stdout"], "stderr_lines": output.counts["stderr"]}
    return {"exit_code": code if code >= 0 else None, "signal": died_of, **counts}


def _failure(context: RunContext, code: int, parameters: CommandParameters, said: str) -> DriverError:
    how = f"exit status {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
    context.log(how, level="error")
    message = f"{how}: {said}" if said else how
    return DriverError("exit_status", message, transient=code in parameters.transient_exit_codes)


class _Output:
    """Both streams of a program, pumped into the log."""

    def __init__(self, context: RunContext, program: subprocess.Popen[bytes], limit: int) -> None:
        self.counts = {"stdout": 0, "stderr": 0}
        self.last_error = ""
        """What the program said last on its standard error."""
        self._context = context
        self._left = limit
        self._dropped = 0
        self._selector = selectors.DefaultSelector()
        self._lines: list[Lines] = []
        self._watch(program.stdout, Lines(self._tell_stdout))
        self._watch(program.stderr, Lines(self._tell_stderr))

    def pump(self, seconds: float) -> bool:
        """Read what there is, waiting at most `seconds` for it; False when both streams are closed."""
        if not self._selector.get_map():
            return False
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, 1 << 16)
            if data:
                key.data.feed(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(self._selector.get_map())

    def finish(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
        self._selector.close()
        for lines in self._lines:
            lines.finish()
        if self._dropped:
            self._context.warn(f"the output was longer than output_limit_mb; {self._dropped} lines were not kept")

    def _watch(self, pipe: IO[bytes] | None, lines: Lines) -> None:
        assert pipe is not None
        self._selector.register(pipe, selectors.EVENT_READ, lines)
        self._lines.append(lines)

    def _tell_stdout(self, line: str) -> None:
        progress = parse_progress(line)
        if progress is None:
            self._tell(line, "stdout")
        else:
            done, total, note = progress
            self._context.progress(done, total, note=note)

    def _tell_stderr(self, line: str) -> None:
        self.last_error = line.strip()[:500] or self.last_error
        self._tell(line, "stderr")

    def _tell(self, line: str, stream: str) -> None:
        self.counts[stream] += 1
        self._left -= len(line) + 1
        if self._left < 0:
            self._dropped += 1
        else:
            self._context.log(line, stream=stream)
