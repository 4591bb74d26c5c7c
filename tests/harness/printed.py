"""Requests as documents print them: taken out of the text, given a host, credentials and ids, and executed."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.telling import PATIENCE

DOCUMENTS = Path(__file__).parents[1] / "contract" / "api" / "documents"


def document(name: str) -> str:
    return (DOCUMENTS / f"{name}.txt").read_text()


def between(text: str, start: str, end: str) -> str:
    """From `start`, included, up to `end`."""
    _, found, rest = text.partition(start)
    assert found, f"the document does not say {start!r}"
    body, found, _ = rest.partition(end)
    assert found, f"the document does not say {end!r} after {start!r}"
    return start + body


def fenced(text: str, language: str) -> list[str]:
    """The code blocks of a language: ```language [title] … ```, on lines of their own or run together."""
    blocks = re.findall(rf"```{re.escape(language)}\s(.*?)```", text, re.DOTALL)
    return [block.strip() for block in blocks]


def placed(code: str, places: Mapping[str, str]) -> str:
    """The code with each placeholder, which must stand in it, replaced."""
    for placeholder, value in places.items():
        assert placeholder in code, f"{placeholder!r} is not in the example"
        code = code.replace(placeholder, value)
    return code


@dataclass(frozen=True, slots=True)
class Said:
    """What a program printed, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def python(self) -> Any:
        """A value as `print` shows it."""
        assert self.code == 0, self.err
        return ast.literal_eval(self.out)


async def curl(command: str) -> Said:
    """A command line that begins with `curl`, by the shell."""
    assert command.startswith("curl ")
    _need("curl")
    return await _run("sh", "-c", command.replace("curl ", "curl --silent --show-error ", 1))


async def python(code: str) -> Said:
    return await _run(sys.executable, "-c", textwrap.dedent(code))


async def node(code: str) -> Said:
    """A module, as browsers and Node have `fetch` and top-level `await`; what was found is printed as JSON."""
    _need("node")
    return await _run("node", "--input-type=module", "--eval", code)


def _need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine: its printed example was not executed")


async def _run(*command: str) -> Said:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"{command[0]} did not end") from None
    return Said(out.decode(), err.decode(), process.returncode or 0)


class Program:
    """A program whose words are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> str:
        """The next one it prints; it must not end before."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it ended with {self.wait()}"
        return line.rstrip("\n")

    def wait(self) -> int:
        return self._process.wait(PATIENCE)


@contextmanager
def python_program(code: str) -> Iterator[Program]:
    command = [sys.executable, "-u", "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Program(process)
        finally:
            process.kill()
