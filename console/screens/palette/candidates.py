"""What can be typed after `:`, and what fits what has been typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from console.keymap import ACTS, Keymap
from console.model import World
from console.screens.views import AUDIT_VIEWS, JOB_VIEWS, RUN_VIEWS
from console.widgets.footer import Offer

_MOST = 50
_EVERYWHERE = (
    "runs",
    "jobs",
    "schedule",
    "workers",
    "data",
    "audit",
    "catch_up",
    "help",
    "undo",
    "redraw",
    "suspend",
    "quit",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """`command` is what does it (`job orders`, `next_group`), `label` what people call it."""

    command: str
    label: str
    title: str
    hint: str = ""


def candidates(text: str, world: World, offers: Sequence[Offer], keymap: Keymap) -> list[Candidate]:
    """What fits, best first: each word of `text` is somewhere in it; what begins with it comes first."""
    words = text.casefold().split()
    fits = [each for each in _all(text, world, offers, keymap) if _fits(words, each)]
    return sorted(fits, key=lambda each: not each.label.casefold().startswith(text.casefold().strip()))[:_MOST]


def _all(text: str, world: World, offers: Sequence[Offer], keymap: Keymap) -> Iterable[Candidate]:
    for offer in offers:
        yield Candidate(offer.act, offer.word or ACTS[offer.act].word, ACTS[offer.act].about, keymap.sign(offer.act))
    for act in _EVERYWHERE:
        yield Candidate(act, ACTS[act].word, ACTS[act].about, keymap.sign(act))
    for view in RUN_VIEWS:
        yield Candidate(f"view {view.name}", f"view {view.name}", f"runs: {view.title.lower()}", view.where)
    for view in JOB_VIEWS[1:]:
        yield Candidate(f"view {view.name}", f"view {view.name}", f"jobs: {view.title.lower()}", view.where)
    for view in AUDIT_VIEWS[1:]:
        if view.where:
            yield Candidate(f"audit {view.where}", f"audit {view.name}", f"audit: {view.title.lower()}", view.where)
    for job in sorted(world.named_jobs.values(), key=lambda job: job.name.casefold()):
        yield Candidate(f"job {job.slug}", f"job {job.slug}", job.name, job.schedule_text)
    if text.startswith("run ") and text[4:].strip():
        yield Candidate(text.strip(), text.strip(), "open this run")


def _fits(words: Sequence[str], candidate: Candidate) -> bool:
    heap = f"{candidate.command} {candidate.label} {candidate.title}".casefold()
    return all(word in heap for word in words)
