"""What levels, grades, states and acts are called, in the reader's language."""

from typing import Any

from helpdesk.api import Invalid, ngettext, pgettext
from helpdesk.api import gettext as _
from helpdesk_career.models import (
    APPROVED,
    CORRECTED,
    DRAFT,
    DROPPED,
    ENDED,
    GOAL_OPEN,
    INCENTIVE,
    INTERMEDIATE,
    JUNIOR,
    LOWERED,
    MOVED,
    OPEN,
    PLACED,
    PRAISE,
    PROMOTED,
    REACHED,
    READ,
    REFUSED,
    SENIOR,
    SHARED,
    SUPERVISOR,
    WITHDRAWN,
    Level,
    Track,
)

LONGEST = 5_000


def level_name(level: Level | None) -> str:
    """The name of a level: that of its own, else the translated one of its key."""
    if level is None:
        return _("No level")
    return level.name or default_level_name(level.key) or f"#{level.id}"


def default_level_name(key: str) -> str:
    """What a level that was there from the beginning is called."""
    names = {
        JUNIOR: pgettext("career level", "Junior agent"),
        INTERMEDIATE: pgettext("career level", "Intermediate agent"),
        SENIOR: pgettext("career level", "Senior agent"),
        SUPERVISOR: pgettext("career level", "Supervisor"),
    }
    return names.get(key, "")


def track_name(track: Track | None) -> str:
    """The name of a track."""
    if track is None:
        return ""
    return track.name or pgettext("career track", "Customer service")


def full_name(level: Level | None) -> str:
    """A level with its track, for where several tracks are spoken of."""
    if level is None:
        return _("No level")
    return _("%(level)s (%(track)s)", level=level_name(level), track=track_name(level.track))


def step_kind(kind: str) -> str:
    """What an entry of the history says."""
    return {
        PLACED: _("Placed"),
        PROMOTED: _("Promoted"),
        MOVED: _("Changed over"),
        LOWERED: _("Lowered"),
        ENDED: _("Left"),
        CORRECTED: pgettext("career", "Corrected"),
    }.get(kind, kind)


def proposal_state(state: str) -> str:
    """How a proposal stands."""
    return {
        OPEN: pgettext("proposal", "To be decided"),
        APPROVED: pgettext("proposal", "Approved"),
        REFUSED: pgettext("proposal", "Refused"),
        WITHDRAWN: pgettext("proposal", "Withdrawn"),
    }.get(state, state)


def goal_state(state: str) -> str:
    """How a goal stands."""
    return {
        GOAL_OPEN: pgettext("goal", "Open"),
        REACHED: pgettext("goal", "Reached"),
        DROPPED: pgettext("goal", "Dropped"),
    }.get(state, state)


def review_state(state: str) -> str:
    """How far a review is."""
    return {
        DRAFT: pgettext("review", "Being written"),
        SHARED: pgettext("review", "Shared"),
        READ: pgettext("review", "Read"),
    }.get(state, state)


def recognition_kind(kind: str) -> str:
    """What kind of recognition it is."""
    return {PRAISE: _("Praise"), INCENTIVE: _("Incentive")}.get(kind, kind)


def grade_name(grade: int) -> str:
    """What a grade means."""
    return {
        0: _("Not assessed"),
        1: _("1: begins"),
        2: _("2: with help"),
        3: _("3: alone"),
        4: _("4: well"),
        5: _("5: teaches others"),
    }.get(grade, str(grade))


def amount(value: float | None, unit: str) -> str:
    """A measured value with its unit."""
    if value is None:
        return pgettext("career", "nothing yet")
    if unit == "yes":
        return _("yes") if value >= 1 else _("no")
    if unit == "percent":
        return _("%(number)s %%", number=number(value))
    if unit == "days":
        return ngettext("%(num)s day", "%(num)s days", int(value))
    return number(value)


def number(value: float) -> str:
    """A number without a needless fraction."""
    return str(int(value)) if value == int(value) else f"{value:.1f}"


def clean(text: Any, field: str, most: int = LONGEST, needed: str = "") -> str:
    """Text as databases take it. Raises :class:`Invalid` when it is too long or, with ``needed``, empty."""
    found = str(text or "").replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    found = found.replace("\r\n", "\n").strip()
    if len(found) > most:
        raise Invalid(field, _("This is too long; %(number)s characters fit.", number=most))
    if needed and not found:
        raise Invalid(field, needed)
    return found
