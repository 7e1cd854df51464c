"""Making and changing teams."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import audit, generation, labels
from helpdesk.core.extensions import db
from helpdesk.core.models import BusinessHours, Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.team import ASSIGNMENTS, COLORS, HAND
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid

NAME_LENGTH = 80
# The most that somebody is given.
CAPACITY = 9999
# For the hours of a team: it keeps those that it has.
KEEP = -1


def make_team(
    name: str,
    actor: User | None,
    *,
    color: str = "",
    private: bool = False,
    members: Sequence[User] = (),
    texts: Mapping[str, str] | None = None,
    hours: int | None = None,
    assignment: str = HAND,
) -> Team:
    """Make a team; ``texts`` are its names in other languages, ``hours`` the business hours that it works by (None: the
    desk's usual ones), ``assignment`` who takes its tickets by itself. Joins or opens the transaction; audited.

    Raises :class:`Invalid` (no name, a name that is taken, a member who is no staff) and NotAllowed.
    """
    require(actor, "team.edit")
    _check_texts(texts)
    with transaction():
        team = Team(name=_free_name(name, None), color=_color(color), private=private)
        team.assignment = _assignment(assignment or HAND)
        team.members = _staff(members)
        team.business_hours_id = _hours(hours)
        db.session.add(team)
        db.session.flush()
        if hours is not None:
            generation.bump()
        labels.keep(labels.TEAM, team.id, texts or {})
        audit.record("team.created", actor, team.name)
    return team


def change_team(
    team: Team,
    actor: User | None,
    *,
    name: str,
    color: str,
    private: bool,
    active: bool,
    members: Sequence[User],
    texts: Mapping[str, str] | None = None,
    hours: int | None = KEEP,
    assignment: str = "",
) -> None:
    """Change a team; ``texts`` are its names in other languages ("": none any more), ``hours`` the business hours that
    it works by (None: the desk's usual ones), ``assignment`` who takes its tickets by itself ("": as before).

    Its tickets stay with it when it is switched off. Joins or opens the transaction; audited.

    Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "team.edit")
    _check_texts(texts)
    with transaction():
        team.name, team.color = _free_name(name, team), _color(color)
        team.private, team.active = private, active
        team.members = _staff(members)
        team.assignment = _assignment(assignment or team.assignment)
        if hours != KEEP and hours != team.business_hours_id:
            team.business_hours_id = _hours(hours)
            generation.bump()
        labels.keep(labels.TEAM, team.id, texts or {})
        audit.record("team.changed", actor, team.name, {"active": active, "private": private})


def set_capacities(capacities: Mapping[int, int | None], actor: User | None) -> None:
    """Say how many unsolved tickets people are given by themselves at most, by their numbers (None: any number).

    It counts for all of somebody's teams. Joins or opens the transaction; audited. Raises :class:`Invalid` with
    ``capacity_<number>`` and NotAllowed.
    """
    require(actor, "team.edit")
    for number, most in capacities.items():
        if most is not None and not 0 <= most <= CAPACITY:
            raise Invalid(f"capacity_{number}", _("A number from 0 to %(number)s fits.", number=CAPACITY))
    with transaction():
        for user in db.session.scalars(select(User).where(User.id.in_(capacities)).order_by(User.id)):
            if user.capacity != capacities[user.id]:
                user.capacity = capacities[user.id]
                audit.record("user.changed", actor, user.email or user.name, {"capacity": user.capacity})


def _assignment(way: str) -> str:
    if way not in ASSIGNMENTS:
        raise Invalid("assignment", _("Choose one of the list."))
    return way


def _hours(hours: int | None) -> int | None:
    if hours is not None and db.session.get(BusinessHours, hours) is None:
        raise Invalid("hours", _("These hours are gone; choose others."))
    return hours


def _check_texts(texts: Mapping[str, str] | None) -> None:
    if code := labels.too_long(texts or {}, NAME_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))


def _free_name(name: str, team: Team | None) -> str:
    clean = " ".join(storable(name).split())
    if not clean:
        raise Invalid("name", _("Give the team a name."))
    if len(clean) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    taken = db.session.scalar(select(Team).where(func.lower(Team.name) == func.lower(clean)))
    if taken is not None and taken is not team:
        raise Invalid("name", _("There is a team “%(name)s” already.", name=clean))
    return clean


def _color(color: str) -> str:
    if color in COLORS:
        return color
    # The next one in the row, so that neighbours differ.
    return COLORS[(db.session.scalar(select(func.count(Team.id))) or 0) % len(COLORS)]


def _staff(members: Sequence[User]) -> list[User]:
    for member in members:
        if not member.is_staff:
            raise Invalid("members", _("%(name)s is not one of the staff.", name=member.display_name))
    return list(dict.fromkeys(members))
