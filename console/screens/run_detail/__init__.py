"""One run: where it stands, what became of its steps, and its log."""

from console.screens.run_detail.screen import RunDetail

__all__ = ["RunDetail"]
