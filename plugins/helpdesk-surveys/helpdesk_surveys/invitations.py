"""Ask somebody by hand, with all limits that hold for everybody."""

from sqlalchemy import select

from helpdesk.api import Refused, Ticket, User, audit, db, default_locale, now, require, schedule, transaction
from helpdesk.api import gettext as _
from helpdesk_surveys.excluding import limits_of, why_not, write_down
from helpdesk_surveys.links import new_key
from helpdesk_surveys.models import HAND, LINK, PLANNED, SENT, Invitation, Survey
from helpdesk_surveys.permissions import MANAGE
from helpdesk_surveys.planning import draft

SEND = "surveys.send"


def invite(survey: Survey, person: User, ticket: Ticket | None, actor: User | None) -> Invitation:
    """Ask somebody now (outside their quiet hours), about a ticket of theirs or about none.

    The caps, exclusions and other plugins are heard as for all others; who is not asked stands in the log, and in the
    exception. Nobody asks about a ticket that was their own work. One transaction, joined or opened.

    Raises :class:`Refused` with the reason, and :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    if ticket is not None:
        require(actor, "ticket.read", ticket)
    with transaction():
        found, why, words = _invite(survey, person, ticket, actor)
        if found is None:
            write_down(survey, person.id, ticket.id if ticket is not None else None, why, words, actor)
    if found is None:
        raise Refused(sentence(why, words))
    return found


def sentence(why: str, words: str = "") -> str:
    """Why somebody is not asked, in a sentence for whoever wanted to."""
    said = {
        "cap": _("This person was sent as many surveys as anybody gets in this time."),
        "tag": _("The ticket has a tag that leaves it out of this survey."),
        "opted_out": _("This person wants no mails that they did not ask for."),
        "complaint": _("This person has an open complaint. Solve it first."),
        "no_address": _("This person has no address to write to."),
        "bounced": _("Mails to this person come back."),
        "inactive": _("This account is switched off."),
        "staff": _("Colleagues are not asked."),
        "own": _("Nobody asks about their own work. Let somebody else decide it."),
        "off": _("This survey is switched off."),
        "other_team": _("This survey is about tickets of another team."),
        "again": _("This person is being asked already."),
    }
    return words or said.get(why, _("This person is not asked now."))


def _invite(
    survey: Survey, person: User, ticket: Ticket | None, actor: User | None
) -> tuple[Invitation | None, str, str]:
    db.session.refresh(person, with_for_update={"of": User, "key_share": True})
    if not survey.active or survey.version_id is None or survey.occasion == LINK:
        return None, "off", ""
    if ticket is not None and ticket.requester_id != person.id:
        return None, "other_team", _("This ticket is somebody else's.")
    if ticket is not None and actor is not None and ticket.assignee_id == actor.id:
        return None, "own", ""
    if _waits(survey, person):
        return None, "again", ""
    invitation = draft(survey, ticket, HAND) if ticket is not None else _without_ticket(survey, person)
    with db.session.no_autoflush:
        invitation.person, invitation.ticket = person, ticket
    db.session.add(invitation)
    db.session.flush()
    why, words = why_not(invitation, survey, limits_of([person.id]))
    if why:
        db.session.delete(invitation)
        db.session.flush()
        return None, why, words
    invitation.state, invitation.due_at = PLANNED, now()
    invitation.asked_by_id = actor.id if actor is not None else None
    audit("surveys.asked_by_hand", actor, survey.name, {"survey": survey.id, "person": person.id})
    schedule(SEND, key=SEND)
    return invitation, "", ""


def _waits(survey: Survey, person: User) -> bool:
    query = select(Invitation.id).where(
        Invitation.survey_id == survey.id, Invitation.user_id == person.id, Invitation.state.in_((PLANNED, SENT))
    )
    return db.session.scalar(query.limit(1)) is not None


def _without_ticket(survey: Survey, person: User) -> Invitation:
    return Invitation(
        survey_id=survey.id, user_id=person.id, language=person.locale or default_locale(), source=HAND, key=new_key(),
        tags=[],
    )  # fmt: skip
