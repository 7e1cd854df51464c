"""What states, reasons, kinds and figures of training are called on pages."""

from datetime import date, datetime
from functools import lru_cache

from babel import dates
from flask_babel import format_decimal, format_percent, get_locale, get_timezone

from helpdesk.api import gettext as _
from helpdesk.api import ngettext, now, pgettext

# ---- assignments


def states() -> list[tuple[str, str]]:
    """How far an assignment is."""
    return [
        ("assigned", pgettext("training", "Not begun")),
        ("begun", pgettext("training", "Begun")),
        ("waiting", pgettext("training", "Waits for grading")),
        ("done", pgettext("training", "Completed")),
        ("failed", pgettext("training", "Not passed")),
        ("withdrawn", pgettext("training", "Withdrawn")),
    ]


def state(key: str) -> str:
    """One of them."""
    return dict(states()).get(key, key)


def state_look(key: str) -> tuple[str, str]:
    """Its colour and shape; colour is never the only sign."""
    return {
        "assigned": ("grey", "circle-dashed"),
        "begun": ("blue", "clock"),
        "waiting": ("violet", "pencil"),
        "done": ("green", "check"),
        "failed": ("red", "x"),
    }.get(key, ("grey", "x"))


def why(key: str) -> str:
    """Why somebody has a course."""
    return {
        "hand": _("Assigned by hand"),
        "self": _("Chosen by oneself"),
        "role": _("For this role"),
        "team": _("For this team"),
        "group": _("For this group or level"),
        "new": _("For the first weeks"),
        "low": _("After low answers of customers"),
        "refresher": _("A certificate is to be renewed"),
        "path": _("Part of a learning path"),
        "needed": _("Another course needs it first"),
    }.get(key, key)


def attempt(key: str) -> str:
    """How a try at a quiz went."""
    return {
        "open": pgettext("quiz", "Begun"),
        "grading": pgettext("quiz", "Is graded"),
        "passed": pgettext("quiz", "Passed"),
        "failed": pgettext("quiz", "Not passed"),
        "void": pgettext("quiz", "Does not count: the course was changed"),
    }.get(key, key)


def attempt_look(key: str) -> tuple[str, str]:
    """Its colour and shape."""
    return {
        "open": ("blue", "clock"),
        "grading": ("violet", "pencil"),
        "passed": ("green", "check"),
        "failed": ("red", "x"),
    }.get(key, ("grey", "x"))


def work(key: str) -> str:
    """How far a practical task is."""
    return {
        "draft": pgettext("task", "Begun"),
        "handed_in": pgettext("task", "Handed in"),
        "passed": pgettext("task", "Passed"),
        "failed": pgettext("task", "To be done once more"),
        "void": pgettext("task", "Does not count: the course was changed"),
    }.get(key, key)


def work_look(key: str) -> tuple[str, str]:
    """Its colour and shape."""
    return {
        "draft": ("blue", "clock"),
        "handed_in": ("violet", "pencil"),
        "passed": ("green", "check"),
        "failed": ("red", "x"),
    }.get(key, ("grey", "x"))


def due(at: datetime | None) -> str:
    """Until when, in words."""
    return _("Due %(day)s", day=day(at)) if at is not None else pgettext("training", "No due date")


def is_late(assignment: object) -> bool:
    """Whether an assignment is over its date, and not done."""
    at = getattr(assignment, "due_at", None)
    return at is not None and at < now() and bool(getattr(assignment, "is_open", False))


# ---- courses


def course_states() -> list[tuple[str, str]]:
    """Where a course can stand."""
    return [
        ("draft", pgettext("course", "Draft")),
        ("published", pgettext("course", "Published")),
        ("retired", pgettext("course", "Retired")),
    ]


def course_state(key: str) -> str:
    """One of them."""
    return dict(course_states()).get(key, key)


def course_look(key: str) -> tuple[str, str]:
    """Its colour and shape."""
    return {"published": ("green", "check"), "retired": ("grey", "lock")}.get(key, ("amber", "pencil"))


def question_kinds() -> list[tuple[str, str, str]]:
    """The kinds of questions of a quiz: key, name, and what each asks for."""
    return [
        ("single", _("One choice"), _("One of the answers is right.")),
        ("multiple", _("Several choices"), _("All right answers have to be ticked, and no other.")),
        ("order", pgettext("question", "Order"), _("The lines have to be put into the right order.")),
        ("text", _("Free text"), _("A person grades the answer.")),
    ]


def question_kind(key: str) -> str:
    """One of them."""
    return {name: text for name, text, _hint in question_kinds()}.get(key, key)


def minutes(number: int) -> str:
    """About how long something takes."""
    return ngettext("about %(num)s minute", "about %(num)s minutes", number)


def validity(days: int | None) -> str:
    """How long a certificate is good."""
    if not days:
        return _("The certificate does not expire")
    return ngettext("The certificate is good for %(num)s day", "The certificate is good for %(num)s days", days)


# ---- rules


def occasions() -> list[tuple[str, str, str]]:
    """When a rule assigns: key, name, and what it means."""
    return [
        ("role", _("To everybody of a role"), _("Now, and whoever gets the role later.")),
        ("team", _("To everybody in a team"), _("Now, and whoever joins it later.")),
        ("group", _("To everybody of a group or level"), _("Groups come from other plugins, such as career levels.")),
        ("new", _("To who is new"), _("A plan for the first weeks, from the first day on.")),
        ("low", _("After low answers of customers"), _("When somebody's surveys are low on tickets with a tag.")),
    ]


def occasion(key: str) -> str:
    """One of them."""
    return {name: text for name, text, _hint in occasions()}.get(key, key)


def roles() -> list[tuple[str, str]]:
    """The roles of the team."""
    return [("agent", _("Agents")), ("supervisor", _("Supervisors")), ("admin", _("Administrators"))]


def surveys() -> list[tuple[str, str]]:
    """The kinds of answers that a rule looks at."""
    return [
        ("csat", _("Satisfaction (1 to 5)")),
        ("nps", _("Recommendation (0 to 10)")),
        ("ces", _("Effort (1 to 7)")),
    ]


# ---- skills


def how(key: str) -> str:
    """By what somebody is known to have a skill."""
    return {
        "certificate": _("Certificate"),
        "course": _("Course completed"),
        "outside": _("Learned elsewhere, verified"),
        "assessment": _("Assessed by a supervisor"),
    }.get(key, key)


def how_look(key: str) -> tuple[str, str]:
    """Its colour and shape."""
    return {
        "certificate": ("green", "star-full"),
        "course": ("green", "check"),
        "outside": ("blue", "external-link"),
        "assessment": ("violet", "eye"),
    }.get(key, ("grey", "check"))


def grades() -> list[tuple[int, str]]:
    """What a supervisor may say about a skill."""
    return [
        (1, pgettext("skill", "Beginner")),
        (2, pgettext("skill", "With help")),
        (3, pgettext("skill", "Alone")),
        (4, pgettext("skill", "Teaches others")),
    ]


def grade(number: int | None) -> str:
    """One of them."""
    return dict(grades()).get(number or 0, "")


def outside_state(key: str) -> str:
    """Whether training elsewhere was looked at."""
    return {
        "claimed": pgettext("training elsewhere", "To be verified"),
        "verified": pgettext("training elsewhere", "Verified"),
        "refused": pgettext("training elsewhere", "Not accepted"),
    }.get(key, key)


def outside_look(key: str) -> tuple[str, str]:
    """Its colour and shape."""
    return {"claimed": ("amber", "clock"), "verified": ("green", "check")}.get(key, ("red", "x"))


# ---- figures and times


def share(number: float | None) -> str:
    """A part of a whole."""
    return "–" if number is None else format_percent(number)


def percent(number: float | None) -> str:
    """A score that is kept as percent."""
    return "–" if number is None else format_percent(number / 100)


def count(number: int) -> str:
    """A number in the reader's digits and marks."""
    return format_decimal(number)


def day(value: date | datetime) -> str:
    """A day of the calendar, with the year where it is not this one; of a moment the day of the reader's zone."""
    value = value.astimezone(get_timezone()).date() if isinstance(value, datetime) else value
    return _day(value, "MMMd" if value.year == now().year else "yMMMd", str(get_locale()))


@lru_cache(4096)
def _day(value: date, skeleton: str, code: str) -> str:
    return dates.format_skeleton(skeleton, value, locale=code)
