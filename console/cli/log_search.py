"""Printing those lines of a run's log that have a text or are errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from console.cli.calling import find_run
from console.cli.logs import print_lines
from console.client import AgentClient
from shared.errors import InvalidInput
from shared.models import LogLine

_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Grep:
    """Which lines: with the text, of level error, or both."""

    text: str | None
    errors: bool
    match_case: bool

    @classmethod
    def of(cls, text: str | None, *, errors: bool, match_case: bool, follow: bool) -> Grep | None:
        """None: every line is wanted. InvalidInput for what does not go together."""
        if text == "":
            raise InvalidInput.one("--grep", "must not be empty", text)
        if match_case and text is None:
            raise InvalidInput.one("--match-case", "goes with --grep")
        if text is None and not errors:
            return None
        if follow:
            raise InvalidInput.one("--follow", "shows every line; not with --grep or --errors")
        return cls(text, errors, match_case)


async def print_found(
    client: AgentClient, key: str, grep: Grep, *, tail: int | None, times: bool, as_json: bool
) -> None:
    """Line by line as they are found; with `tail` the last so many of them, looked for from the end."""
    run = await find_run(client, key)
    if tail is not None:
        print_lines(await _last(client, run.id, grep, tail), times=times, as_json=as_json)
        return
    async with aclosing(_pages(client, run.id, grep, _PAGE, backwards=False)) as pages:
        async for lines in pages:
            print_lines(lines, times=times, as_json=as_json)


async def _last(client: AgentClient, run_id: str, grep: Grep, count: int) -> list[LogLine]:
    found: list[LogLine] = []
    if count:
        async with aclosing(_pages(client, run_id, grep, min(count, _PAGE), backwards=True)) as pages:
            async for lines in pages:
                found += lines
                if len(found) >= count:
                    break
    return found[:count][::-1]


async def _pages(
    client: AgentClient, run_id: str, grep: Grep, limit: int, *, backwards: bool
) -> AsyncGenerator[list[LogLine], None]:
    start: int | None = None
    while True:
        hits = await client.runs.search_log(
            run_id, text=grep.text or "", level="error" if grep.errors else None, start=start, limit=limit,
            backwards=backwards, match_case=grep.match_case,
        )  # fmt: skip
        yield hits.hits
        if hits.next is None:
            return
        start = hits.next
