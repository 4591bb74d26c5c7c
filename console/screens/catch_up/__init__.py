"""What was missed while the agent was away, for the operator to decide."""

from console.screens.catch_up.screen import CatchUpScreen

__all__ = ["CatchUpScreen"]
