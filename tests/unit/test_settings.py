"""Settings are what the file says, or there is no agent: nothing that was meant is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import load_settings
from shared.errors import InvalidInput


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
