"""Attachments as one types them: `log`, `log:500`, `result`, `result:ACTION`, `dataset:ALIAS`; a file by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.screens.actions.fields import ATTACH
from shared.errors import InvalidInput

Attachment = dict[str, Any]

_FORMS = "log, log:LINES, result, result:ACTION, dataset:ALIAS"
_USUAL_LINES = 200


def word_of(attachment: Mapping[str, Any]) -> str:
    """The attachment as it is typed."""
    kind, data = attachment["type"], attachment.get("data") or {}
    match kind:
        case "log":
            lines = data.get("lines", _USUAL_LINES)
            return "log" if lines == _USUAL_LINES else f"log:{lines}"
        case "result":
            return "result" if data.get("step", "main") == "main" else f"result:{data['step']}"
        case "dataset":
            return f"dataset:{data['dataset']}"
    return f"{kind}:{attachment['name']}"


def read_attachments(words: Sequence[str], before: Sequence[Mapping[str, Any]]) -> list[Attachment]:
    """What was there and is still named stays as it is, ids, formats and files and all. InvalidInput names the word."""
    there: dict[str, list[Attachment]] = {}
    for each in before:
        there.setdefault(word_of(each), []).append(dict(each))
    return [each for word in dict.fromkeys(words) for each in there.get(word) or [_new(word)]]


def _new(word: str) -> Attachment:
    kind, _, what = (part.strip() for part in word.partition(":"))
    match kind:
        case "log" if not what:
            return {"type": "log", "name": "log.txt"}
        case "log" if what.isdigit():
            return {"type": "log", "name": "log.txt", "data": {"lines": int(what)}}
        case "result" if not what:
            return {"type": "result", "name": "result.json"}
        case "result":
            return {"type": "result", "name": f"{_file_name(what)}.json", "data": {"step": what}}
        case "dataset" if what:
            return {"type": "dataset", "name": f"{_file_name(what)}.csv", "data": {"dataset": what}}
        case "dataset":
            raise InvalidInput.one(ATTACH, "write the alias of a dataset of the job behind dataset:", word)
        case "file":
            raise InvalidInput.one(ATTACH, "a file is uploaded through the API (docs/jobs.md); here it can only be kept or taken out", word)  # fmt: skip
    raise InvalidInput.one(ATTACH, f"write some of {_FORMS}", word)


def _file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)
