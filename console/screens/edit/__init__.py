"""Editing a job: its draft in a form, compared before it is published."""

from console.screens.edit.screen import EditScreen

__all__ = ["EditScreen"]
