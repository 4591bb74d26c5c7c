"""A statement is compiled once in a process, whichever engine of whichever store executes it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from agent.store.engine.engine import open_reader, open_writer


def test_engines_share_what_was_compiled(tmp_path: Path) -> None:
    engines = [open_writer(tmp_path / "a.db"), open_reader(tmp_path / "a.db"), open_writer(tmp_path / "b.db")]
    compiled = []
    for number, engine in enumerate(engines):
        with engine.begin() as connection:
            done = connection.execute(sa.select(sa.literal(number, sa.Integer), sa.func.lower("ÄÖ")))
            assert done.one() == (number, "äö")
            compiled.append(done.context.compiled)  # type: ignore[attr-defined]
        engine.dispose()
    assert compiled[0] is compiled[1] is compiled[2]
