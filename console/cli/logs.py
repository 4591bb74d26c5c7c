"""Printing a run's log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from console.cli.calling import find_run
from console.cli.output import note, paint, safe, say, say_json_line
from console.client import AgentClient, Offline, Online
from shared.models import LogLine, LogPage

_PAGE = 5_000


async def print_log(
    client: AgentClient, key: str, *, follow: bool, tail: int | None, times: bool, as_json: bool
) -> None:
    """What is there, page by page; with `follow` also what comes, until the run ends."""
    run = await find_run(client, key)
    start = await _start(client, run.id, tail)
    if follow:
        await follow_log(client, run.id, start, times=times, as_json=as_json)
        return
    while True:
        page = await client.runs.log(run.id, start, _PAGE)
        print_lines(page.lines, times=times, as_json=as_json)
        if not page.lines or page.lines[-1].number >= page.total:
            return
        start = page.lines[-1].number + 1


async def follow_log(client: AgentClient, run_id: str, start: int, *, times: bool, as_json: bool) -> None:
    """Lines as they come; a cut is told beside them, and mended."""
    away = False
    async with aclosing(client.runs.follow(run_id, start)) as signals:
        async for signal in signals:
            if isinstance(signal, LogPage):
                print_lines(signal.lines, times=times, as_json=as_json)
            elif isinstance(signal, Offline):
                note(f"jobdeck: {signal.reason}; waiting for it")
                away = True
            elif isinstance(signal, Online) and away:
                note("jobdeck: the agent is back")
                away = False


def print_lines(lines: Sequence[LogLine], *, times: bool, as_json: bool) -> None:
    for line in lines:
        if as_json:
            say_json_line(line)
        else:
            say(_text(line, times=times))


async def _start(client: AgentClient, run_id: str, tail: int | None) -> int:
    if tail is None:
        return 1
    total = (await client.runs.log(run_id, 1, 1)).total
    return max(1, total - tail + 1)


def _text(line: LogLine, *, times: bool) -> str:
    text = paint(safe(line.text), line.level)
    return f"{paint(f'{line.at:%Y-%m-%d %H:%M:%S}Z', 'dim')}  {text}" if times else text
