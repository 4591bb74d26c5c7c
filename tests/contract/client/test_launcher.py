"""The command itself, as a process: what it loads, what it says, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.commands import COMMANDS
from tests.harness.telling import PATIENCE
from tests.harness.warm_start import run

ROOT = Path(__file__).resolve().parents[3]
REPORT = r"""
import json, sys
from shared.launcher import main
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\n" + json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def loaded_by(*words: str) -> tuple[int, set[str], str]:
    """Exit code, top-level modules that were loaded, what was printed."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *words], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules), done.stdout


def jobdeck(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(words, env={**os.environ, **environment})


def test_help_lists_every_command_and_loads_neither_half() -> None:
    code, modules, text = loaded_by("--help")
    assert code == 0
    assert all(f"  {name} " in text for name in COMMANDS)
    assert not modules & {
        "agent",
        "console",
        "textual",
        "sqlalchemy",
        "fastapi",
        "httpx",
        "typer",
        "pydantic",
        "croniter",
    }


@pytest.mark.parametrize("words", [("job", "--help"), ("run", "list", "--help"), ("explain", "--help")])
def test_the_console_half_loads_nothing_of_the_agent(words: tuple[str, ...]) -> None:
    code, modules, text = loaded_by(*words)
    assert (code, "Usage: jobdeck" in text) == (0, True)
    assert not modules & {"agent", "textual", "sqlalchemy", "fastapi", "uvicorn", "croniter"}


def test_the_agent_half_loads_nothing_of_the_console() -> None:
    code, modules, _ = loaded_by("agent", "--help")
    assert code == 0
    assert not modules & {"console", "textual"}


def test_importing_the_client_and_the_model_costs_the_first_frame_nothing() -> None:
    text = "import sys, console.client, console.model, console.settings; print({'httpx', 'pydantic', 'agent'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.strip() == "set()", done.stderr


def test_an_unknown_command_gets_suggestions() -> None:
    done = jobdeck("jbo", "list")
    assert (done.returncode, done.stderr) == (2, "jobdeck: there is no command 'jbo'; did you mean job?\n")


def test_wrong_usage_is_two_and_no_traceback() -> None:
    done = jobdeck("run", "list", "--limit", "many")
    assert done.returncode == 2
    assert "--limit" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_agent_is_five(tmp_path: Path) -> None:
    done = jobdeck("job", "list", JOBDECK_DATA_DIR=str(tmp_path))
    assert done.returncode == 5
    assert done.stderr.startswith("jobdeck: no agent runs here")


def test_a_foreign_package_is_named(tmp_path: Path) -> None:
    foreign = tmp_path / "agent" / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("raise SystemExit('the foreign package was imported')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.append({str(ROOT)!r}); from shared.launcher import main; sys.exit(main(['job', '--help']))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 1
    assert str(foreign) in done.stderr
    assert "is not Jobdeck's" in done.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m shared.launcher --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.strip() in {"0", "141"}
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["--help"], ["job", "list", "--help"], ["doctor", "--help"], ["completion", "zsh"]])
def test_a_closed_pipe_is_141(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "shared.launcher", *words]
    done = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(("closed", "said"), [(">&-", "2 jobdeck: there is no"), ("2>&-", "2\n"), (">&- 2>&-", "2\n")])
def test_what_is_closed_is_no_defect(closed: str, said: str) -> None:
    command = f"said=$({{ {sys.executable} -m shared.launcher jbo {closed}; }} 2>&1); echo $? $said"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.startswith(said)
    assert "Traceback" not in done.stdout + done.stderr
    assert "went wrong" not in done.stdout


def test_a_misspelt_variable_is_named_before_anything_is_done() -> None:
    done = jobdeck("job", "list", JOBDECK_AGNET="/nowhere.sock")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "jobdeck: JOBDECK_AGNET: is no setting; did you mean JOBDECK_AGENT?\n"


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import launcher

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher, "_dispatch", interrupted)
    assert launcher.main([]) == 130


def test_a_defect_is_one_sentence_and_a_traceback_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from shared import launcher

    def broken(_: object) -> int:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(launcher, "_dispatch", broken)
    assert launcher.main([]) == 1
    assert "ZeroDivisionError: oops" in capsys.readouterr().err
    monkeypatch.setenv("JOBDECK_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        launcher.main([])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["jo"], {"job"}),
        (["job", "sho"], {"show"}),
        (["job", "sh"], {"show", "share", "shares"}),
        (["run", ""], {"list", "show", "logs", "cancel", "rerun", "watch"}),
        (["run", "list", "--li"], {"--limit"}),
        (["completion", "z"], {"zsh"}),
        (["agent", "--log"], {"--log-format"}),
        (["backup", "--with"], {"--with-key"}),
        (["nonsense", "x"], set()),
    ],
)
def test_completion(words: list[str], expected: set[str]) -> None:
    done = jobdeck("__complete", *words)
    assert (done.returncode, set(done.stdout.split())) == (0, expected)


def test_the_bash_script_completes_in_bash(tmp_path: Path) -> None:
    command = tmp_path / "jobdeck"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m shared.launcher "$@"\n')
    command.chmod(0o755)
    script = (
        'source <(jobdeck completion bash); COMP_WORDS=(jobdeck run wa); COMP_CWORD=2; _jobdeck; echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("watch", "")


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert jobdeck("--version").stdout == f"jobdeck {version('jobdeck')}\n"


@pytest.mark.parametrize(
    "words", [["-h"], ["job", "-h"], ["run", "list", "-h"], ["doctor", "-h"], ["completion", "-h"]]
)
def test_help_is_a_letter_away(words: list[str]) -> None:
    done = jobdeck(*words)
    assert (done.returncode, done.stdout.startswith("Usage: jobdeck"), done.stderr) == (0, True, "")


def test_a_refused_value_is_named() -> None:
    done = jobdeck("job", "list", JOBDECK_AGENT="nonsense")
    assert (done.returncode, done.stderr.count("nonsense")) == (2, 1)
    assert done.stderr.startswith("jobdeck: JOBDECK_AGENT: write a URL as in https://host:8470")


def test_what_an_agent_is_given_is_refused_in_our_words(tmp_path: Path) -> None:
    words = ["agent", "--data-dir", str(tmp_path), "--bind", "foo", "--workers", "-3", "--log-format", "xml"]
    done = jobdeck(*words)
    assert done.returncode == 2
    assert done.stderr == (
        "jobdeck: bind: write HOST:PORT, as in 127.0.0.1:8000 (not 'foo')\n"
        "jobdeck: workers: should be greater than or equal to 1 (not -3)\n"
        "jobdeck: log_format: should be 'text' or 'json' (not 'xml')\n"
    )


@pytest.mark.parametrize("name", ["file", "file/below", "shut/below"])
def test_a_data_folder_that_cannot_be_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "shut").symlink_to("/proc/nowhere")
    done = jobdeck("agent", "--data-dir", str(tmp_path / name), "--bind", "")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"jobdeck: data_dir: {tmp_path / name} cannot be made or written to: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("words", [("--help",), ("completion", "bash"), ("run", "--help")])
def test_a_full_disk_behind_the_output_is_not_called_a_mistake_of_ours(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "shared.launcher", *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    said = "jobdeck: what was to be written: No space left on device; make room, and try again\n"
    assert (done.returncode, done.stderr) == (5, said)
