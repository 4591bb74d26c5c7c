"""What was done, by whom, from where; and who was refused."""

from console.screens.audit.screen import AuditScreen

__all__ = ["AuditScreen"]
