"""Who is not asked, and why: looked up for many at once, and written down for each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from helpdesk.api import Tag, Ticket, User, ask, db, now, settings
from helpdesk_surveys.models import RHYTHM, SOLVED, Invitation, Suppression, Survey
from helpdesk_surveys.settings import SurveySettings

_DONE = ("solved", "closed")


@dataclass
class Limits:
    """What is known of some people at one moment; asks the database nothing more."""

    sent: dict[int, int]
    complaining: Collection[int]
    most: int

    def count(self, user_id: int) -> None:
        """One more was sent to somebody."""
        self.sent[user_id] = self.sent.get(user_id, 0) + 1


def limits_of(people: Collection[int]) -> Limits:
    """How many surveys each was sent within the days of the cap, and who has an open complaint. Two queries."""
    chosen = settings(SurveySettings)
    since = now() - timedelta(days=chosen.cap_days)
    counted = (
        select(Invitation.user_id, func.count())
        .where(Invitation.user_id.in_(people), Invitation.sent_at > since)
        .group_by(Invitation.user_id)
    )
    sent = {number: count for number, count in db.session.execute(counted) if number is not None}
    return Limits(sent, _complaining(people, chosen.complaint_tag.strip()), chosen.cap_most)


def why_not(invitation: Invitation, survey: Survey, limits: Limits) -> tuple[str, str]:
    """One of REASONS and a plugin's words, or two empty texts where the person may be asked."""
    person, reason = invitation.person, leaves_out(invitation, survey, limits)
    if person is None or reason:
        return reason, ""
    if limits.sent.get(person.id, 0) >= limits.most:
        return "cap", ""
    words = ask(
        "surveys_before_sent",
        invitation_id=invitation.id,
        survey_id=survey.id,
        kind=survey.kind,
        person_id=person.id,
        ticket_id=invitation.ticket_id,
    )
    return ("refused", str(words)[:500]) if words else ("", "")


def leaves_out(invitation: Invitation, survey: Survey, limits: Limits) -> str:
    """Why neither a question nor a reminder goes out, whatever the cap says; "" for nothing."""
    person = invitation.person
    if person is None:
        return "inactive"
    if reason := of_person(person) or _of_ticket(invitation, survey, invitation.ticket):
        return reason
    return "complaint" if survey.skip_complaints and person.id in limits.complaining else ""


def of_person(person: User) -> str:
    """Why somebody is asked nothing at all; "" for nothing."""
    if not person.active:
        return "inactive"
    if person.is_staff or person.is_service:
        return "staff"
    if not person.email:
        return "no_address"
    if person.bounced_at is not None:
        return "bounced"
    return "" if person.care_mail else "opted_out"


def write_down(
    survey: Survey, user_id: int | None, ticket_id: int | None, why: str, words: str = "", actor: User | None = None
) -> None:
    """Log that somebody was not asked. Inside the transaction."""
    if user_id is not None:
        db.session.add(
            Suppression(
                survey_id=survey.id,
                user_id=user_id,
                ticket_id=ticket_id,
                why=why,
                words=words,
                actor_id=actor.id if actor is not None else None,
            )  # fmt: skip
        )


def tags_of(ticket: Ticket | None) -> Sequence[str]:
    """The names of a ticket's tags."""
    return [tag.name for tag in ticket.tags] if ticket is not None else []


def _of_ticket(invitation: Invitation, survey: Survey, ticket: Ticket | None) -> str:
    if ticket is None:
        return ""
    if ticket.merged_into_id is not None:
        return "merged"
    if invitation.source == SOLVED and ticket.category not in _DONE:
        return "reopened"
    if {tag.casefold() for tag in tags_of(ticket)} & {tag.casefold() for tag in survey.skip_tags or ()}:
        return "tag"
    if survey.team_id is not None and invitation.source != RHYTHM and ticket.team_id != survey.team_id:
        return "other_team"
    return ""


def _complaining(people: Collection[int], name: str) -> Collection[int]:
    if not name:
        return ()
    query = select(Ticket.requester_id).where(
        Ticket.requester_id.in_(people),
        Ticket.category.not_in(_DONE),
        Ticket.merged_into_id.is_(None),
        Ticket.tags.any(func.lower(Tag.name) == name.lower()),
    )
    return set(db.session.scalars(query.distinct()))
