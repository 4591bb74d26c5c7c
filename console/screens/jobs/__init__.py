"""Screen 2: jobs, when they fire and how they have fared."""

from console.screens.jobs.screen import JobsScreen
from console.screens.jobs.why import WhyScreen

__all__ = ["JobsScreen", "WhyScreen"]
