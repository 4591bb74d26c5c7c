"""`python -m tests.harness.screenshots FOLDER`: the screens as SVG, from the fixed world at the fixed time."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.harness.console import console_on, fixed_agent, run_id, settled, text_of, until
from tests.harness.night import fixed_night
from tests.harness.stand_in import StandIn, serving

SIZES = ((80, 24), (160, 48))
_OUTSIDE = ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "TERM_PROGRAM")


async def _moved(pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: getattr(getattr(pilot.app.screen, "table", None), "is_acting", False))
    await pilot.pause()  # the detail follows the cursor


async def runs(pilot: Pilot[Any]) -> None:
    await pilot.press("n")
    await _moved(pilot)


async def jobs(pilot: Pilot[Any]) -> None:
    await pilot.press("2", "j")
    await _moved(pilot)
    await until(pilot, lambda: "Last 20 runs" in text_of(pilot.app))


async def run_detail(pilot: Pilot[Any]) -> None:
    pilot.app.open_run(run_id(83))  # type: ignore[attr-defined]  # a Console
    await until(pilot, lambda: pilot.app.screen.NAME == "run" and "giving up" in text_of(pilot.app))  # type: ignore[attr-defined]


async def audit(pilot: Pilot[Any]) -> None:
    await pilot.press("a", "j")
    await _moved(pilot)
    await until(pilot, lambda: "pause_job" in text_of(pilot.app))


async def schedule(pilot: Pilot[Any]) -> None:
    await pilot.press("3", "j")
    await _moved(pilot)
    await until(pilot, lambda: "overlap active" in text_of(pilot.app))


async def workers(pilot: Pilot[Any]) -> None:
    await pilot.press("4")
    await until(pilot, lambda: "busy" in text_of(pilot.app))


async def data(pilot: Pilot[Any]) -> None:
    await pilot.press("5")
    await until(pilot, lambda: "postgresql://" in text_of(pilot.app))


async def missed(pilot: Pilot[Any]) -> None:
    await pilot.press("m")
    await until(pilot, lambda: "1,200" in text_of(pilot.app))


async def job(pilot: Pilot[Any]) -> None:
    await pilot.press("2", "j", "d")
    await until(pilot, lambda: "Policies" in text_of(pilot.app))


SHOTS: dict[str, Callable[[Pilot[Any]], Awaitable[None]]] = {
    "runs": runs,
    "jobs": jobs,
    "run": run_detail,
    "audit": audit,
    "schedule": schedule,
    "workers": workers,
    "data": data,
    "missed": missed,
    "job": job,
}


def _presentable(agent: StandIn) -> StandIn:
    """Without the job whose name attacks the terminal: it is there for the tests."""
    rogue = {job.id for job in agent.jobs.values() if "\x1b" in job.name}
    agent.jobs = {key: job for key, job in agent.jobs.items() if key not in rogue}
    agent.entries = [entry for entry in agent.entries if "\x1b" not in (entry.subject_name or "")]
    agent.runs = {key: run for key, run in agent.runs.items() if run.job_id not in rogue}
    return agent


def _self_contained(svg: str) -> str:
    """Whoever looks at a picture fetches nothing for it: the reader's own monospaced font will do."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)


async def shoot(folder: Path) -> None:
    for name, steps in SHOTS.items():
        for size in SIZES:
            with serving(_presentable(fixed_night(fixed_agent()))) as agent:
                app = console_on(agent)
                async with app.run_test(size=size) as pilot:
                    await settled(pilot)
                    await steps(pilot)
                    await pilot.pause()
                    target = folder / f"{name}-{size[0]}x{size[1]}.svg"
                    target.write_text(_self_contained(app.export_screenshot(title="Jobdeck")), encoding="utf-8")
                    print(target)


def main(folder: str) -> None:
    for name in _OUTSIDE:
        os.environ.pop(name, None)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(shoot(target))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "screenshots")
