"""When a team works, and who is there: one answer for due dates, promises, assignment and figures."""

from helpdesk.core.working_time.attendance import Attendance, attendance_between
from helpdesk.core.working_time.hours import Day, Hours, NoHours, round_the_clock
from helpdesk.core.working_time.loading import all_hours, hours_of, working_minutes_after
from helpdesk.core.working_time.presence import absent, available_users, is_available, on_shift

__all__ = [
    "Attendance",
    "Day",
    "Hours",
    "NoHours",
    "absent",
    "all_hours",
    "attendance_between",
    "available_users",
    "hours_of",
    "is_available",
    "on_shift",
    "round_the_clock",
    "working_minutes_after",
]
