"""However many knowledge bases there are, the reader keeps a few open."""

from __future__ import annotations

import io
import json
from pathlib import Path

import psutil

from agent.resources.knowledge.file import open_for_writing
from agent.resources.knowledge.reader import MOST_OPEN, Reader


def test_files_of_bases_that_nobody_asks_for_are_closed(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(MOST_OPEN + 40)]
    answers = io.StringIO()
    reader, before = Reader(answers), psutil.Process().num_fds()
    for number, folder in enumerate([*folders, *folders[:3]]):
        if not folder.exists():
            open_for_writing(folder).close()
        reader._handle({"id": number, "op": "count", "folder": str(folder), "embedder": "wordllama", "dimensions": 256})
    assert {json.dumps(json.loads(line)["result"]) for line in answers.getvalue().splitlines()} == {"[0, 1]"}
    files = psutil.Process().num_fds() - before
    assert files <= 3 * MOST_OPEN
    for folder in folders:
        reader._forget({"folder": str(folder)})
    assert psutil.Process().num_fds() == before
