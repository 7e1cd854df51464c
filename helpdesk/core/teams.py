"""Making and changing teams."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import audit, labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.team import COLORS
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid

NAME_LENGTH = 80


def make_team(
    name: str,
    actor: User | None,
    *,
    color: str = "",
    private: bool = False,
    members: Sequence[User] = (),
    texts: Mapping[str, str] | None = None,
) -> Team:
    """Make a team; ``texts`` are its names in other languages. Joins or opens the transaction; audited.

    Raises :class:`Invalid` (no name, a name that is taken, a member who is no staff) and NotAllowed.
    """
    require(actor, "team.edit")
    _check_texts(texts)
    with transaction():
        team = Team(name=_free_name(name, None), color=_color(color), private=private)
        team.members = _staff(members)
        db.session.add(team)
        db.session.flush()
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
) -> None:
    """Change a team; ``texts`` are its names in other languages ("": none any more).

    Its tickets stay with it when it is switched off. Joins or opens the transaction; audited.

    Raises :class:`Invalid` and NotAllowed.
    """
    require(actor, "team.edit")
    _check_texts(texts)
    with transaction():
        team.name, team.color = _free_name(name, team), _color(color)
        team.private, team.active = private, active
        team.members = _staff(members)
        labels.keep(labels.TEAM, team.id, texts or {})
        audit.record("team.changed", actor, team.name, {"active": active, "private": private})


def _check_texts(texts: Mapping[str, str] | None) -> None:
    if code := labels.too_long(texts or {}, NAME_LENGTH):
        raise Invalid(f"text_{code}", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))


def _free_name(name: str, team: Team | None) -> str:
    clean = " ".join(storable(name).split())
    if not clean:
        raise Invalid("name", _("Give the team a name."))
    if len(clean) > NAME_LENGTH:
        raise Invalid("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    taken = db.session.scalar(select(Team).where(func.lower(Team.name) == clean.lower()))
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
