"""Screen 1: triage. What is active on top, then failures by cause, then the rest."""

from console.screens.runs.screen import RunsScreen

__all__ = ["RunsScreen"]
