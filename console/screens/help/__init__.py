"""Every key, and the filter language; type to search."""

from console.screens.help.screen import HelpScreen

__all__ = ["HelpScreen"]
