"""Screen 5: what jobs work with."""

from console.screens.data.screen import DataScreen

__all__ = ["DataScreen"]
