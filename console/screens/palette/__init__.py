"""Everything that can be done here, by name: `ctrl+p`, and `:` for jumps."""

from console.screens.palette.screen import Palette

__all__ = ["Palette"]
