"""Screen 3: what became of every due moment, and which jobs behave unlike themselves."""

from console.screens.schedule.screen import ScheduleScreen

__all__ = ["ScheduleScreen"]
