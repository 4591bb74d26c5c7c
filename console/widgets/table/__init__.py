"""A table of any length whose cursor, marks and scroll belong to ids."""

from console.widgets.table.columns import Column
from console.widgets.table.source import Cell, ListSource, RowSource
from console.widgets.table.table import VirtualTable

__all__ = ["Cell", "Column", "ListSource", "RowSource", "VirtualTable"]
