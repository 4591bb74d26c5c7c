"""Settings are what the file says, or there is no agent: nothing that was meant is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.cli.foreground import tell_unknown_variables
from agent.settings import load_settings, variables
from shared.errors import Fault, InvalidInput
from shared.variables import OF_COMMANDS, OF_RUNS, refuse_misspelt, unknown_variables


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("keep_run_for = '7 days'", "keep_run_for", "is no setting; did you mean 'keep_runs_for'?"),
        ("colour = 'blue'", "colour", "is no setting; docs/operations.md has them all"),
        ("[smtp]\nhost = 'mail.example'\nprot = 25", "smtp.prot", "is not a known field"),
        ("workers = 0", "workers", "should be greater than or equal to 1"),
    ],
)
def test_what_is_none_or_wrong_is_named(tmp_path: Path, text: str, field: str, said: str) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        load_settings(config, {"data_dir": tmp_path})
    [fault] = refused.value.faults
    assert (fault.field, fault.message) == (field, said)


def test_a_variable_that_is_others_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBDECK_TOKEN", "jd_x")
    monkeypatch.setenv("JOBDECK_WORKERS", "3")
    assert load_settings(None, {"data_dir": tmp_path}).workers == 3


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("JOBDECK_WORKER", "JOBDECK_WORKERS"),
        ("JOBDECK_STOP_GRACEE", "JOBDECK_STOP_GRACE"),
        ("JOBDECK_KEEP_RUN_FOR", "JOBDECK_KEEP_RUNS_FOR"),
    ],
)
def test_a_misspelt_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "3")
    with pytest.raises(InvalidInput) as refused:
        load_settings(None, {"data_dir": tmp_path})
    assert refused.value.faults == (Fault(name, f"is no setting; did you mean {meant}?"),)


def test_no_setting_is_misspelt() -> None:
    """Nor is what belongs to commands, runs, a container or a cluster, be it for commands or for the agent."""
    of_others = {"JOBDECK_VERSION", "JOBDECK_HOME", "JOBDECK_PORT", "JOBDECK_SERVICE_HOST", "JOBDECK_PORT_80_TCP_ADDR"}
    environment = dict.fromkeys(variables() | OF_COMMANDS | OF_RUNS | of_others, "")
    refuse_misspelt(environment)
    refuse_misspelt(environment, variables())
    assert set(unknown_variables(environment, variables())) == of_others


def test_what_nothing_reads_is_told_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBDECK_LOG_LEVEL", "debug")
    monkeypatch.setenv("JOBDECK_Workers", "3")
    with capture_logs() as told:
        tell_unknown_variables()
    assert [(each["event"], each["name"]) for each in told] == [("unknown_variable", "JOBDECK_LOG_LEVEL")]
