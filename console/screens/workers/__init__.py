"""Screen 4: who works, and what waits for what."""

from console.screens.workers.screen import WorkersScreen

__all__ = ["WorkersScreen"]
