"""What is known of one run beside the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.client.answers import Attempt
    from shared.models import Run, Step


@dataclass(slots=True)
class Facts:
    """`original` is the run that this one repeats; `unlike`: in which ways its job behaves unlike itself now."""

    run: Run
    steps: Sequence[Step] = ()
    attempts: Sequence[Attempt] = ()
    original: Run | None = None
    unlike: Sequence[str] = ()
