"""Neither the cell output nor the table may delay the first frame."""

from __future__ import annotations

import sys

from tests.harness.first_frame import first_frame_ratio


def test_first_frame_with_table_and_cell_output() -> None:
    argv = [sys.executable, "-m", "tests.functional.display.table_app"]
    assert first_frame_ratio(argv, lambda app: "running" in app.text, {"ROWS": "1000"}, rounds=4).cpu <= 1.4
