"""Views: named filters over the tickets, those that everybody has and those that people save."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, literal, or_, select

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import (
    DEFAULT_SORT,
    FIELD,
    ME,
    NO,
    NONE,
    YES,
    InvalidFilter,
    TicketFilter,
    is_key,
    parse_sort,
    readable_filter,
)
from helpdesk.core.lateness import BROKEN, OVERDUE, PROMISED
from helpdesk.core.models import Team, TeamMember, Ticket, User, View
from helpdesk.core.models.columns import storable
from helpdesk.core.models.ticket import CLOSED, NEW, OPEN, SOLVED, UNSOLVED
from helpdesk.core.models.view import EVERYBODY, MINE, SHARING, TEAM
from helpdesk.core.permissions import allowed, require, ticket_criterion
from helpdesk.core.transaction import transaction

# Counts stop here and are shown as "1,000+".
COUNT_LIMIT = 1000
NAME_LENGTH = 80
# What a row of a list may show beside what it always shows; those of custom fields begin with ``FIELD``.
COLUMNS = (
    *("number", "status", "priority", "team", "type", "topic", "tags", "channel", "organization"),
    *("created", "solved", "due", "promised"),
)
# What rows show where nobody has chosen.
USUAL_COLUMNS = ("priority", "team", "due", "promised", "tags")
_MOST_COLUMNS = 12
_LAST_PLACE = 999


@dataclass(frozen=True)
class NamedView:
    """A view as the desk lists it. ``key`` stands in its address."""

    key: str
    name: str
    icon: str
    filter: TicketFilter
    sort: str = DEFAULT_SORT
    saved: bool = False
    shared_with: str = ""
    can_delete: bool = False
    # For a team's queue: its colour.
    color: str = ""
    columns: tuple[str, ...] = ()
    team_id: int | None = None
    position: int = 0

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """The columns of its rows, chosen or usual."""
        return self.columns or USUAL_COLUMNS


@dataclass(frozen=True)
class ViewList:
    """Every view that somebody has, by group."""

    standard: Sequence[NamedView] = ()
    teams: Sequence[NamedView] = ()
    saved: Sequence[NamedView] = ()

    def all(self) -> list[NamedView]:
        """Every view, in the order of the page."""
        return [*self.standard, *self.teams, *self.saved]

    def find(self, key: str) -> NamedView | None:
        """The view with that key, or None."""
        return next((view for view in self.all() if view.key == key), None)


def standard_views() -> list[NamedView]:
    """The views that everybody has, in the reader's language."""
    unsolved = TicketFilter(category=UNSOLVED)
    return [
        NamedView("mine", _("Waiting for me"), "inbox", TicketFilter((NEW, OPEN), assignee=(ME,), snoozed=NO)),
        NamedView("unassigned", _("Unassigned"), "circle-dashed", TicketFilter(UNSOLVED, assignee=(NONE,), snoozed=NO)),
        NamedView("open", _("All unsolved"), "message", TicketFilter(UNSOLVED, snoozed=NO)),
        NamedView("overdue", _("Overdue"), "clock-exclamation", TicketFilter(late=(OVERDUE,)), "due"),
        NamedView("promised", _("Promised"), "calendar-event", TicketFilter(late=(PROMISED, BROKEN)), "due"),
        NamedView("snoozed", _("Snoozed"), "moon", replace(unsolved, snoozed=YES)),
        NamedView("solved", _("Solved and closed"), "circle-check", TicketFilter(category=(SOLVED, CLOSED))),
        NamedView("all", _("All tickets"), "list", TicketFilter()),
    ]


def views_of(user: User) -> ViewList:
    """Every view of ``user``: the standard ones, the queues of the teams, and the saved ones. Two queries."""
    mine = TeamMember.user_id == user.id
    rows = db.session.execute(
        select(Team, TeamMember.user_id)
        .outerjoin(TeamMember, (TeamMember.team_id == Team.id) & mine)
        .where(Team.active)
        .order_by(func.lower(Team.name), Team.id)
    ).all()
    sees_all = ticket_criterion(user) is None
    own = [team.id for team, member in rows if member is not None]
    teams = [
        NamedView(
            f"team-{team.id}",
            labels.team_name(team),
            "users-group",
            TicketFilter(UNSOLVED, team=(str(team.id),), snoozed=NO),
            color=team.color,
        )
        for team, member in rows
        if sees_all or member is not None or not team.private
    ]
    return ViewList(standard_views(), teams, _saved_views(user, own))


def count_of(views: Sequence[NamedView], user: User) -> dict[str, int]:
    """How many tickets each view holds, by key, each at most ``COUNT_LIMIT`` + 1. One query for all."""
    if not views:
        return {}
    visible = ticket_criterion(user)
    counts = []
    for view in views:
        query = select(literal(1)).select_from(Ticket).where(*criteria(view.filter, user))
        if visible is not None:
            query = query.where(visible)
        limited = query.limit(COUNT_LIMIT + 1).subquery()
        counts.append(select(func.count()).select_from(limited).scalar_subquery())
    row = db.session.execute(select(*counts)).one()
    return dict(zip((view.key for view in views), row, strict=True))


@dataclass(frozen=True)
class ViewDraft:
    """What somebody wants a saved view to be."""

    name: str
    filter: TicketFilter
    sort: str = DEFAULT_SORT
    shared_with: str = MINE
    team: Team | None = None
    columns: Sequence[str] = ()
    position: int = 0


def save_view(
    name: str, wanted: TicketFilter, sort: str, actor: User, shared_with: str = MINE, team: Team | None = None
) -> View:
    """Keep a filter under a name, for oneself, a team or everybody. Joins or opens the transaction.

    Raises :class:`InvalidFilter` (no name, no such circle) or NotAllowed: sharing needs ``view.share``.
    """
    require(actor, "view.save")
    view = View(owner_id=actor.id)
    with transaction():
        _write(view, ViewDraft(name, wanted, sort, shared_with, team), actor)
        db.session.add(view)
        db.session.flush()
    return view


def change_view(view: View, draft: ViewDraft, actor: User) -> View:
    """Make a saved view what ``draft`` says. Joins or opens the transaction.

    One's own, or with ``view.share`` a shared one. Raises :class:`InvalidFilter` and NotAllowed as :func:`save_view`.
    """
    require(actor, "view.save")
    if view.owner_id != actor.id:
        require(actor, "view.share")
    with transaction():
        _write(view, draft, actor)
        db.session.flush()
    return view


def parse_columns(names: Sequence[str]) -> list[str]:
    """Columns of the allow-list, each once, in the order given. Raises :class:`InvalidFilter` for too many."""
    found = [name for name in dict.fromkeys(names) if name in COLUMNS or (name.startswith(FIELD) and is_key(name))]
    if len(found) > _MOST_COLUMNS:
        raise InvalidFilter(_("A row has room for %(number)s columns; take some away.", number=_MOST_COLUMNS))
    return found


def _write(view: View, draft: ViewDraft, actor: User) -> None:
    view.name = clean_name(draft.name)
    check_sharing(draft.shared_with, draft.team)
    if draft.shared_with != MINE:
        require(actor, "view.share")
    view.shared_with = draft.shared_with
    view.team_id = draft.team.id if draft.team is not None and draft.shared_with == TEAM else None
    view.filters = draft.filter.as_dict()
    view.sort = parse_sort(draft.sort)
    view.columns = parse_columns(draft.columns)
    view.position = min(max(draft.position, 0), _LAST_PLACE)


def clean_name(name: str) -> str:
    """The name of a view as it is kept, in one line. Raises :class:`InvalidFilter` for none, and for one too long."""
    name = " ".join(storable(name).split())
    if not name:
        raise InvalidFilter(_("Give the view a name."))
    if len(name) > NAME_LENGTH:
        raise InvalidFilter(_("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    return name


def check_sharing(shared_with: str, team: Team | None) -> None:
    """Raise :class:`InvalidFilter` unless it is shared with somebody that there is."""
    if shared_with not in SHARING or (shared_with == TEAM and (team is None or not team.active)):
        raise InvalidFilter(_("Choose who sees the view."))


def find_view(key: str, user: User) -> View | None:
    """The saved view with that key if ``user`` has it. Not yours and not there are the same answer."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    own = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    return db.session.scalar(select(View).where(View.id == int(key), _shown_to(user, own)))


def delete_view(view: View, actor: User) -> None:
    """Delete a saved view: one's own, or with ``view.share`` a shared one. Joins or opens the transaction."""
    if view.owner_id != actor.id:
        require(actor, "view.share")
    with transaction():
        db.session.delete(view)


def _saved(user: User, own_teams: Sequence[int]) -> Sequence[View]:
    query = select(View).where(_shown_to(user, own_teams)).order_by(View.position, func.lower(View.name), View.id)
    return db.session.scalars(query.limit(200)).all()


def _shown_to(user: User, own_teams: Any) -> ColumnElement[bool]:
    return or_(
        View.owner_id == user.id,
        View.shared_with == EVERYBODY,
        (View.shared_with == TEAM) & View.team_id.in_(own_teams),
    )


def _saved_views(user: User, own_teams: Sequence[int]) -> list[NamedView]:
    shares = allowed(user, "view.share")
    return [_named(view, user, shares) for view in _saved(user, own_teams)]


def _named(view: View, user: User, shares: bool) -> NamedView:
    try:
        sort = parse_sort(view.sort)
    except InvalidFilter:
        sort = DEFAULT_SORT
    return NamedView(
        str(view.id),
        view.name,
        "bookmark",
        # A version that knew more may have saved it: what can still be read counts.
        readable_filter(view.filters),
        sort,
        True,
        view.shared_with,
        shares or view.owner_id == user.id,
        columns=tuple(view.columns or ()),
        team_id=view.team_id,
        position=view.position,
    )
