"""One job: what it is, when it fires, and how it came to be as it is."""

from console.screens.job.revisions import RevisionsScreen
from console.screens.job.screen import JobScreen

__all__ = ["JobScreen", "RevisionsScreen"]
