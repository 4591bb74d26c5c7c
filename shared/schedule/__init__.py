"""The pure rules of fire times: what a schedule says, when it fires, what becomes of its fires."""

from shared.schedule.notes import FireMark, FireNote, notes
from shared.schedule.preview import preview
from shared.schedule.schedule import Schedule, compile_schedule, with_anchor
from shared.schedule.settle import FireState, Settlement, Verdict, settle
from shared.schedule.spec import ScheduleSpec
from shared.schedule.zone import zone_data_version

__all__ = [
    "FireMark",
    "FireNote",
    "FireState",
    "Schedule",
    "ScheduleSpec",
    "Settlement",
    "Verdict",
    "compile_schedule",
    "notes",
    "preview",
    "settle",
    "with_anchor",
    "zone_data_version",
]
