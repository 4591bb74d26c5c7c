"""A log of any length: opened at its first error, followed, searched; only what is on the screen is loaded."""

from console.widgets.log_pane.pane import LogPane
from console.widgets.log_pane.search import Wanted

__all__ = ["LogPane", "Wanted"]
