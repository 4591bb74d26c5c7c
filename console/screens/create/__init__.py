"""The wizard that creates a job: template, what it does, when, review."""

from console.screens.create.screen import CreateScreen

__all__ = ["CreateScreen"]
