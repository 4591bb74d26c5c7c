"""What the console knows, as pure state: events and pages come in, ordered and filtered ids go out.

No I/O, no clock, and (for the first frame's sake) no pydantic until the first event.
"""

from console.model.changes import Changes
from console.model.counts import Counts
from console.model.link import Link
from console.model.order import KeyOrder, Order
from console.model.reduce import reduce, reduce_all
from console.model.triage import FailureGroup, TriageOrder
from console.model.view import Repaint, View
from console.model.window import Window
from console.model.world import Held, World

__all__ = [
    "Changes",
    "Counts",
    "FailureGroup",
    "Held",
    "KeyOrder",
    "Link",
    "Order",
    "Repaint",
    "TriageOrder",
    "View",
    "Window",
    "World",
    "reduce",
    "reduce_all",
]
