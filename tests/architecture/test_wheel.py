"""The wheel, alone, from another folder, runs both halves."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel and, by path only, the libraries of this one: not this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(build, check=True)
    venv.create(folder / "env", with_pip=False, symlinks=True)
    site = next((folder / "env").glob("lib/python*/site-packages"))
    (wheel,) = folder.glob("jobdeck-*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(site)], check=True)
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "env" / "bin" / "python"


@pytest.mark.parametrize("module", ["console.app", "agent.app", "shared.launcher"])
def test_every_part_is_in_the_wheel(installed: Path, module: str) -> None:
    code = f"import {module} as part; print(part.__file__)"
    done = subprocess.run([installed, "-I", "-c", code], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout


def test_the_command_answers(installed: Path) -> None:
    done = subprocess.run([installed, "-I", "-m", "shared.launcher", "--help"], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert "jobdeck agent" in done.stdout or "agent" in done.stdout
