"""The whole job on one page, before it is made."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from console.render.amounts import count
from console.render.look import Look
from console.render.safe import to_one_line
from console.screens.actions.lines import as_options
from console.screens.create.draft import Draft
from console.screens.create.fields import Option

CREATE, CREATE_AND_RUN = "Create it", "Create it and run it now"
ACTIONS = "Actions …"
_LABEL_WIDTH = 21


def ways(draft: Draft) -> tuple[Option, ...]:
    return (Option(CREATE), Option(CREATE_AND_RUN), actions_way(draft))


def actions_way(draft: Draft) -> Option:
    """To what follows the job's own work."""
    return Option(ACTIONS, f"{count(len(draft.actions), 'action')}; a mail, a webhook, … afterwards")


def review(draft: Draft, schedule: Sequence[Text], look: Look) -> list[Text]:
    """Everything that was typed, in the order of the form, then when it runs."""
    assert draft.driver is not None
    lines = [_line("Type", draft.driver.title or draft.driver.type, look)]
    lines += [
        _line(field.label, draft.text(field.key), look) for field in draft.fields if draft.text(field.key).strip()
    ]
    lines += [_line("Then", f"{each.value}  {each.about}", look) for each in as_options(draft.actions)]
    return [*lines, Text(), *schedule]


def _line(label: str, text: str, look: Look) -> Text:
    line = Text(f"{label[:_LABEL_WIDTH]:<{_LABEL_WIDTH}} ", look.palette.muted, no_wrap=True)
    return line.append(to_one_line(text), "default")
