"""The `jobdeck` command: finds the half that a command belongs to and loads that half alone.

Commands (shared/commands.py) are names of functions, imported when called: nothing here knows console or agent.
Each function takes the words after `jobdeck` (its own name first) and returns an exit code of shared/exits.py.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from shared.commands import AGENT_CLI, COMMANDS, COMPLETION_HELP, CONSOLE, CONSOLE_CLI, HELP
from shared.completion import SHELLS, script
from shared.errors import Fault, InvalidInput, JobdeckError
from shared.exits import Exit, exit_for
from shared.terminal import fence_terminal
from shared.variables import refuse_misspelt

Entry = Callable[[Sequence[str]], "int | None"]

_ROOT = Path(__file__).resolve().parent.parent
_LONGEST_VALUE = 60
_COMPLETERS = {CONSOLE_CLI: "console.cli:complete", AGENT_CLI: "agent.cli:complete"}
"""Who can complete the words after a command: `module:function` from words to candidates."""
_OF_THE_MACHINE = {
    errno.ENOSPC: "make room, and try again",
    errno.EDQUOT: "make room, and try again",
    errno.EFBIG: "allow larger files (`ulimit -f`), and try again",
    errno.EROFS: "name a place that can be written to",
    errno.EIO: "look at the disk; `dmesg` may tell more",
    errno.EMFILE: "allow more open files (`ulimit -n`), and try again",
    errno.ENFILE: "the machine has too many files open",
}
"""What no command can mend, and what to do about it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every way of ending becomes an exit code, and never a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    code: int | None
    _open_what_is_closed()
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _leave_broken_pipe()
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # typer has its own idea of what that means
            return _leave_broken_pipe()
        raise
    except JobdeckError as error:
        return _refuse(error)
    except OSError as error:
        return _tell_of_machine(error) if error.errno in _OF_THE_MACHINE else _apologise(error)
    except Exception as error:
        code = _explain_usage(error)
        return _apologise(error) if code is None else code
    return code


def _open_what_is_closed() -> None:
    """Python has None for a standard stream that whoever started us has closed; what goes there then goes nowhere."""
    given: list[TextIO | None] = [sys.stdout, sys.stderr]
    if given[0] is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (open as long as we live)
    if given[1] is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def _dispatch(words: list[str]) -> int:
    if not words:
        return _call(CONSOLE, words)
    first, rest = words[0], words[1:]
    if first in {"-h", "--help", "help"}:
        return _help(rest)
    if first in {"-V", "--version"}:
        return _say(f"jobdeck {_version()}")
    if first == "completion":
        return _completion(rest)
    if first == "__complete":
        return _complete(rest)
    if first in COMMANDS:
        return _call(COMMANDS[first].entry, words)
    if first.startswith("--") and first != "--":
        return _call(CONSOLE, words)
    raise InvalidInput.one("command", _unknown(first), first)


def _call(entry: str, words: Sequence[str]) -> int:
    """Import and call one entry point, after looking whose packages these are."""
    for package in ("agent", "console"):
        check_ours(package)
    refuse_misspelt(os.environ)
    if entry != CONSOLE:
        fence_terminal()
    module, _, function = entry.partition(":")
    run: Entry = getattr(importlib.import_module(module), function)
    return int(run(words) or Exit.OK)


def check_ours(package: str, root: Path = _ROOT) -> None:
    """Refuse to start when `package` would come from elsewhere than this file's own installation.

    Others on PyPI ship packages of the same names; a foreign one would fail in stranger ways later.
    """
    spec = importlib.util.find_spec(package)
    origin = spec.origin if spec else None
    if spec is None or origin is None:
        raise JobdeckError(f"the package '{package}' of Jobdeck is missing beside {root}; install jobdeck again")
    if Path(origin).resolve().parent.parent != root:
        raise JobdeckError(
            f"the package '{package}' at {origin} is not Jobdeck's (which is in {root}); "
            f"install jobdeck into an environment of its own, or start it where no folder '{package}' is in the way"
        )


def _help(rest: Sequence[str]) -> int:
    if rest and rest[0] in COMMANDS:
        return _call(COMMANDS[rest[0]].entry, [rest[0], "--help"])
    width = max(len(name) for name in COMMANDS) + 2
    lines = [f"  {command.name:<{width}}{command.about}" for command in COMMANDS.values()]
    return _say(HELP.format(commands="\n".join(lines), gap=" " * (width - len("completion"))))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [*COMMANDS, "completion"], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`jobdeck --help` lists them all"
    return f"there is no command '{name}'; {hint}"


def _completion(rest: Sequence[str]) -> int:
    if rest and rest[0] in {"-h", "--help"}:
        return _say(COMPLETION_HELP)
    if len(rest) != 1 or rest[0] not in SHELLS:
        raise InvalidInput.one("shell", f"name one of {', '.join(SHELLS)}", " ".join(rest))
    return _say(script(rest[0]))


def _complete(words: Sequence[str]) -> int:
    """Print the candidates for the last of `words`; silence is the answer when there are none."""
    last = words[-1] if words else ""
    if len(words) <= 1:
        candidates = [*COMMANDS, "completion", "--help", "--version"]
    elif words[0] == "completion":
        candidates = list(SHELLS)
    else:
        candidates = _candidates(words)
    return _say("\n".join(name for name in candidates if name.startswith(last)))


def _candidates(words: Sequence[str]) -> list[str]:
    command = COMMANDS.get(words[0])
    entry = _COMPLETERS.get(command.entry) if command else None
    if entry is None:
        return []
    module, _, function = entry.partition(":")
    complete: Callable[[Sequence[str]], list[str]] = getattr(importlib.import_module(module), function)
    return complete(words)


def _version() -> str:
    from importlib.metadata import version  # 20 ms that only this answer pays

    return version("jobdeck")


def _say(text: str) -> int:
    if text:
        print(text)  # noqa: T201 (this is the command's output)
    return Exit.OK


def _refuse(error: JobdeckError) -> int:
    _tell(f"jobdeck: {_sentence(error)}\n")
    return exit_for(error)


def _sentence(error: JobdeckError) -> str:
    if not isinstance(error, InvalidInput):
        return error.message
    if [fault.field for fault in error.faults] == ["command"]:
        return error.faults[0].message
    return "\njobdeck: ".join(f"{fault.field}: {fault.message}{_not(fault)}" for fault in error.faults)


def _not(fault: Fault) -> str:
    """The wrong value, where it is a short one that the message does not repeat."""
    value = fault.value
    if not isinstance(value, str | int | float) or not str(value):
        return ""
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    is_told = str(value) in fault.message or "\n" in fault.message
    return "" if is_told or len(shown) > _LONGEST_VALUE else f" (not {shown})"


def _explain_usage(error: Exception) -> int | None:
    """Typer's own refusals, where a half has loaded it; None for what is not one."""
    if "typer" not in sys.modules:
        return None
    import typer

    if isinstance(error, typer.Abort):
        return Exit.INTERRUPTED
    if isinstance(error, typer.Exit):
        return error.exit_code
    show = getattr(error, "show", None)
    if isinstance(error, typer.TyperException) and callable(show):
        show()
        return Exit.USAGE
    return None


def _tell_of_machine(error: OSError) -> int:
    """A full disk, also where the output goes: nothing of it is Jobdeck's mistake."""
    assert error.errno is not None
    what = str(error.filename or "what was to be written")
    _silence(sys.stdout)
    _tell(f"jobdeck: {what}: {error.strerror}; {_OF_THE_MACHINE[error.errno]}\n")
    return Exit.UNAVAILABLE


def _apologise(error: Exception) -> int:
    if os.environ.get("JOBDECK_TRACEBACK"):
        raise error
    _tell(
        f"jobdeck: something went wrong inside Jobdeck: {type(error).__name__}: {error}\n"
        "jobdeck: JOBDECK_TRACEBACK=1 shows where; please report it\n"
    )
    return Exit.FAILED


def _leave_broken_pipe() -> int:
    """The reader went away, as `head` does: say nothing."""
    _silence(sys.stdout)
    return Exit.BROKEN_PIPE


def _tell(text: str) -> None:
    """Where it cannot be written either, the exit code has to say it alone."""
    fence_terminal()
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Nothing more goes there, also not when Python flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
