"""Who sees what people keep for reuse (canned responses, macros): only oneself, a team, everybody."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, or_, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Team, TeamMember, User
from helpdesk.core.models.view import EVERYBODY, SHARING, TEAM
from helpdesk.core.permissions import require


class InvalidCircle(Exception):
    """A circle that there is not; ``field`` says what is wrong, the text is a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def shown_to(model: Any, user: User) -> ColumnElement[bool]:
    """Which rows of a model with ``owner_id``, ``shared_with`` and ``team_id`` somebody sees."""
    own = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    return or_(
        model.owner_id == user.id,
        model.shared_with == EVERYBODY,
        and_(model.shared_with == TEAM, model.team_id.in_(own)),
    )


def checked_team(shared_with: str, team_id: int | None, actor: User) -> int | None:
    """The team that ``actor`` shares something with; None for oneself and for everybody.

    Raises :class:`InvalidCircle`, and NotAllowed: for a circle that one is not in it needs ``canned.share``.
    """
    if shared_with not in SHARING:
        raise InvalidCircle("shared_with", _("Choose who sees it."))
    if shared_with == EVERYBODY:
        require(actor, "canned.share")
    if shared_with != TEAM:
        return None
    team = db.session.get(Team, team_id) if team_id else None
    if team is None or not team.active:
        raise InvalidCircle("team_id", _("Choose a team."))
    if db.session.get(TeamMember, (team.id, actor.id)) is None:
        require(actor, "canned.share")
    return team.id
