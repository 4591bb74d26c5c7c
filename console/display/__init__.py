"""How frames reach the terminal: only the cells that changed, in as few bytes as they need."""

from console.display.app import DiffApp
from console.display.quiet import quiet

__all__ = ["DiffApp", "quiet"]
