"""Views: named filters over the tickets, those that everybody has and those that people save."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, literal, or_, select

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, Tag, Team, TeamMember, Ticket, User, View
from helpdesk.core.models.columns import storable
from helpdesk.core.models.ticket import CATEGORIES, CLOSED, NEW, OPEN, PRIORITIES, SOLVED, UNSOLVED
from helpdesk.core.models.view import EVERYBODY, MINE, SHARING, TEAM
from helpdesk.core.permissions import require, ticket_criterion
from helpdesk.core.transaction import transaction

# Counts stop here and are shown as "1,000+".
COUNT_LIMIT = 1000
SORTS = ("-updated", "updated", "-created", "created", "-priority", "priority", "-number", "number")
DEFAULT_SORT = "-updated"
NAME_LENGTH = 80
_ME, _NONE = "me", "none"
_ID = re.compile(r"[1-9][0-9]{0,17}")
_VALUES = 50


class InvalidFilter(Exception):
    """A filter, sort or page cannot be used; the text is a sentence for the person."""

    @classmethod
    def bad_page(cls) -> "InvalidFilter":
        """For a cursor that no page of this list has given."""
        return cls(_("This page of the list is not there; go back to its beginning."))


@dataclass(frozen=True)
class TicketFilter:
    """Which tickets: every list that is not empty must hold; several values of one list are alternatives.

    ``tag`` alone asks for every one of its tags. Built from outside only by :func:`parse_filter`.
    """

    category: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    requester: tuple[str, ...] = ()
    text: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What is set, as it is saved in a view."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if value}


def parse_filter(values: Mapping[str, Any]) -> TicketFilter:
    """A filter from lists of texts (a query string, a saved view). Unknown keys are left out.

    Raises :class:`InvalidFilter` for a value that no ticket can have.
    """
    return TicketFilter(
        category=_among("category", values, CATEGORIES),
        status=_matching("status", values, r"[a-z0-9_-]{1,40}"),
        team=_people("team", values, ()),
        assignee=_people("assignee", values, (_ME,)),
        priority=_among("priority", values, PRIORITIES),
        tag=tuple(" ".join(tag.split()).lower()[:50] for tag in _texts(values.get("tag")) if tag.strip()),
        requester=_matching("requester", values, _ID.pattern),
        text=" ".join(storable(" ".join(_texts(values.get("text")))).split())[:200],
    )


def parse_sort(text: str | None) -> str:
    """A sort key of the allow-list; nothing is the default. Raises :class:`InvalidFilter`."""
    if not text:
        return DEFAULT_SORT
    if text not in SORTS:
        raise InvalidFilter(_("Tickets cannot be sorted like that; choose an order from the menu."))
    return text


def criteria(wanted: TicketFilter, user: User) -> list[ColumnElement[bool]]:
    """The filter in SQL, as ``user`` reads it ("me"). Goes on top of ``visible_tickets``, never alone."""
    found: list[ColumnElement[bool]] = []
    if wanted.category:
        found.append(Ticket.category.in_(wanted.category))
    if wanted.status:
        found.append(Ticket.status_id.in_(select(Status.id).where(Status.key.in_(wanted.status))))
    if wanted.team:
        found.append(_one_of(Ticket.team_id, wanted.team, user))
    if wanted.assignee:
        found.append(_one_of(Ticket.assignee_id, wanted.assignee, user))
    if wanted.priority:
        found.append(Ticket.priority.in_(wanted.priority))
    if wanted.requester:
        found.append(Ticket.requester_id.in_([int(number) for number in wanted.requester]))
    found += [Ticket.tags.any(Tag.name == name) for name in wanted.tag]
    if wanted.text:
        found.append(_text_criterion(wanted.text))
    return found


# ---- views


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
    return [
        NamedView("mine", _("Waiting for me"), "inbox", TicketFilter(category=(NEW, OPEN), assignee=(_ME,))),
        NamedView("unassigned", _("Unassigned"), "circle-dashed", TicketFilter(category=UNSOLVED, assignee=(_NONE,))),
        NamedView("open", _("All unsolved"), "message", TicketFilter(category=UNSOLVED)),
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
            TicketFilter(category=UNSOLVED, team=(str(team.id),)),
            color=team.color,
        )
        for team, member in rows
        if sees_all or member is not None or not team.private
    ]
    return ViewList(standard_views(), teams, [_named(view, user) for view in _saved(user, own)])


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


def save_view(
    name: str, wanted: TicketFilter, sort: str, actor: User, shared_with: str = MINE, team: Team | None = None
) -> View:
    """Keep a filter under a name, for oneself, a team or everybody. Joins or opens the transaction.

    Raises :class:`InvalidFilter` (no name, no such circle) or NotAllowed: sharing needs ``view.share``.
    """
    require(actor, "view.save")
    name = " ".join(storable(name).split())
    if not name:
        raise InvalidFilter(_("Give the view a name."))
    if len(name) > NAME_LENGTH:
        raise InvalidFilter(_("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    if shared_with not in SHARING or (shared_with == TEAM and (team is None or not team.active)):
        raise InvalidFilter(_("Choose who sees the view."))
    if shared_with != MINE:
        require(actor, "view.share")
    with transaction():
        view = View(
            name=name,
            shared_with=shared_with,
            owner_id=actor.id,
            team_id=team.id if team is not None and shared_with == TEAM else None,
            filters=wanted.as_dict(),
            sort=parse_sort(sort),
        )
        db.session.add(view)
        db.session.flush()
    return view


def find_view(key: str, user: User) -> View | None:
    """The saved view with that key if ``user`` has it. Not yours and not there are the same answer."""
    if not _ID.fullmatch(key):
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


def _named(view: View, user: User) -> NamedView:
    try:
        wanted, sort = parse_filter(view.filters), parse_sort(view.sort)
    except InvalidFilter:
        # Saved by a version that knew more: show the view, with what can still be read.
        wanted, sort = TicketFilter(), DEFAULT_SORT
    mine = view.owner_id == user.id
    return NamedView(
        str(view.id),
        view.name,
        "bookmark",
        wanted,
        sort,
        True,
        view.shared_with,
        mine or user.role in ("supervisor", "admin"),
    )


# ---- values


def _one_of(column: Any, values: Sequence[str], user: User) -> ColumnElement[bool]:
    numbers = [user.id if value == _ME else int(value) for value in values if value != _NONE]
    options = [column.in_(numbers)] if numbers else []
    if _NONE in values:
        options.append(column.is_(None))
    return or_(*options)


def _text_criterion(text: str) -> ColumnElement[bool]:
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    options: list[ColumnElement[bool]] = [
        Ticket.subject.ilike(pattern, escape="\\"),
        Ticket.requester.has(User.name.ilike(pattern, escape="\\")),
        Ticket.requester.has(User.email.ilike(pattern, escape="\\")),
    ]
    if _ID.fullmatch(number := text.removeprefix("#")):
        options.append(Ticket.id == int(number))
    return or_(*options)


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value] if value not in (None, "") else []
    if len(items) > _VALUES:
        raise InvalidFilter(_("These are too many values for one filter; %(number)s fit.", number=_VALUES))
    return [str(item) for item in items]


def _among(name: str, values: Mapping[str, Any], known: Sequence[str]) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(value not in known for value in found):
        raise _unusable(name)
    return tuple(value for value in known if value in found)


def _matching(name: str, values: Mapping[str, Any], pattern: str) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(not re.fullmatch(pattern, value) for value in found):
        raise _unusable(name)
    return tuple(dict.fromkeys(found))


def _people(name: str, values: Mapping[str, Any], words: Sequence[str]) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(value not in (_NONE, *words) and not _ID.fullmatch(value) for value in found):
        raise _unusable(name)
    return tuple(dict.fromkeys(found))


def _unusable(name: str) -> InvalidFilter:
    return InvalidFilter(
        _(
            "The filter “%(name)s” has a value that no ticket can have; take it off and choose again.",
            name=name,
        )
    )
