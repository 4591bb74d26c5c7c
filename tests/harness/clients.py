"""Real clients of the published APIs, as their authors ship them: installed once, each into a folder of its own, and run
as programs of their own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.harness.telling import PATIENCE

FOLDER = Path(sys.prefix, "clients")
_INSTALLING = 500.0


def client(requirement: str) -> Path:
    """The folder with `name==version` and what it needs. Whoever comes first installs it, others wait."""
    folder = FOLDER / requirement.replace("==", "-")
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _install(requirement, folder)
    return folder


async def said_by(requirement: str, code: str, folder: Path, **given: Any) -> Any:
    """What a program that uses the client answers: it finds `given` as variables, and calls `say` once."""
    head = f"import json\ndef say(value): print('SAID ' + json.dumps(value, default=str))\nglobals().update(json.loads({json.dumps(given)!r}))\n"
    env = {name: value for name, value in os.environ.items() if not name.startswith("VECTARA_")}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", head + textwrap.dedent(code), cwd=folder, stdout=pipe, stderr=pipe,
        env=env | {"PYTHONPATH": str(client(requirement))},
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AssertionError(f"the program of {requirement} did not end") from None
    assert process.returncode == 0, err.decode()
    said = [line.removeprefix("SAID ") for line in out.decode().splitlines() if line.startswith("SAID ")]
    assert len(said) == 1, out.decode()
    return json.loads(said[0])


def _install(requirement: str, folder: Path) -> None:
    """Aside, then renamed: a half of it is never taken for the whole."""
    aside = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(aside)]
    done = subprocess.run([*command, requirement], capture_output=True, text=True, timeout=_INSTALLING, check=False)
    if done.returncode:
        raise RuntimeError(f"{requirement} cannot be installed from this machine's package index:\n{done.stderr}")
    aside.rename(folder)
