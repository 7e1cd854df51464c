"""The plugin's places on the desk's pages: beside tickets and people, on Home, in menus."""

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Action, NavItem, Panel, Ticket, User, db, hookimpl, reader, visible_tickets
from helpdesk.api import lazy_gettext as _l
from helpdesk_surveys import wording, words
from helpdesk_surveys.figures import headline
from helpdesk_surveys.models import ANSWERED, RHYTHM, SENT, FollowUp, Invitation, Response, Survey
from helpdesk_surveys.permissions import MANAGE, USE
from helpdesk_surveys.scopes import scope_of

_SHOWN = 5


@hookimpl
def nav_items() -> list[NavItem]:
    """How customers answered."""
    return [NavItem(_l("Surveys"), "surveys.index", icon="star", permission=USE, order=30)]


@hookimpl
def ticket_actions(ticket: Ticket) -> list[Action]:
    """Ask its customer by hand."""
    return [Action(_l("Ask for an answer"), "surveys.ask_form", {"number": ticket.id}, "get", "star", MANAGE, order=40)]


@hookimpl
def ticket_panels(ticket: Ticket) -> list[Panel]:
    """What the customer answered about a ticket, and what followed. One query; nothing where nobody was asked."""
    query = (
        select(Invitation, Survey, Response, FollowUp)
        .join(Survey, Survey.id == Invitation.survey_id)
        .outerjoin(Response, and_(Response.invitation_id == Invitation.id, *_seen(reader())))
        .outerjoin(FollowUp, FollowUp.response_id == Response.id)
        .where(Invitation.ticket_id == ticket.id)
        .order_by(Invitation.id.desc(), FollowUp.id)
        .limit(_SHOWN * 4)
    )
    rows: dict[int, tuple[Invitation, Survey, Response | None, list[FollowUp]]] = {}
    for invitation, survey, response, follow_up in db.session.execute(query):
        row = rows.setdefault(invitation.id, (invitation, survey, response, []))
        if follow_up is not None:
            row[3].append(follow_up)
    if not rows:
        return []
    context = {"rows": list(rows.values())[:_SHOWN], "words": words, "wording": wording}
    return [Panel(_l("Surveys"), "surveys/ticket_panel.html", context, "star", USE, 50)]


@hookimpl
def user_panels(person: User, user: User) -> list[Panel]:
    """When a person was asked, and those of their answers that the reader may see. Two queries at most."""
    # Nobody knows who could see a ticket that is gone: what was asked after it is not shown here.
    of_no_ticket = and_(Invitation.ticket_id.is_(None), Invitation.source == RHYTHM)
    query = (
        select(Invitation)
        .where(Invitation.user_id == person.id, Invitation.state.in_((SENT, ANSWERED)))
        .where(of_no_ticket | Invitation.ticket_id.in_(visible_tickets(user).with_only_columns(Ticket.id)))
        .options(joinedload(Invitation.survey), joinedload(Invitation.ticket))
        .order_by(Invitation.sent_at.desc(), Invitation.id.desc())
        .limit(_SHOWN)
    )
    invitations = db.session.scalars(query).all()
    if not invitations and person.care_mail:
        return []
    ids = [one.id for one in invitations]
    answers = {
        one.invitation_id: one
        for one in db.session.scalars(select(Response).where(Response.invitation_id.in_(ids), *_seen(user)))
    }
    rows = [(one, answers.get(one.id)) for one in invitations]
    context = {"rows": rows, "person": person, "words": words, "wording": wording}
    return [Panel(_l("Surveys"), "surveys/person_panel.html", context, "star", USE, 50)]


@hookimpl
def dashboard_widgets(user: User) -> list[Panel]:
    """The figures of the last thirty days, of what the reader may see."""
    context = {"rows": headline(user), "words": words}
    return [Panel(_l("How customers answered"), "surveys/widget.html", context, "star", USE, 30)]


def _seen(user: User) -> list[ColumnElement[bool]]:
    """What narrows answers to those that somebody sees."""
    criterion = scope_of(user).criterion(Response)
    return [] if criterion is None else [criterion]
