"""Calls and mails that come by themselves some days after a ticket was solved."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Invalid, Refused, Tag, Ticket, Work, db, now, settings
from helpdesk_callbacks import slots
from helpdesk_callbacks.booking import book
from helpdesk_callbacks.drafts import CallDraft, usual_maker
from helpdesk_callbacks.models import CALL, MAIL, RULE, Call, Followed, FollowUpRule
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import quarter_up

BATCH = 50
# What was not followed up so long after its day is not followed up any more: a desk that was down for long.
_LATE = timedelta(days=14)
# So many free times are tried: others may be quicker.
_TRIES = 5
_SOLVED = ("solved", "closed")


def follow_up(work: Work) -> None:
    """Let each active rule look at the tickets whose day has come (a job in steps).

    A rule looks at a ticket once, and that it has is written together with what it made: killed or not, a customer
    gets one. Who has had as many as are wanted within the days of the settings is left out.
    """
    made = 0
    for rule_id in _active():
        while found := _waiting(rule_id):
            with work.step(done=made):
                made += _follow(rule_id, found)
    with work.last_step(result={"made": made}):
        pass


def _active() -> Sequence[int]:
    db.session.rollback()
    return db.session.scalars(select(FollowUpRule.id).where(FollowUpRule.active).order_by(FollowUpRule.id)).all()


def _waiting(rule_id: int) -> Sequence[int]:
    """The numbers of tickets that the rule has to look at, those solved first."""
    db.session.rollback()
    rule = db.session.get(FollowUpRule, rule_id)
    if rule is None or not rule.active:
        return []
    until = now() - timedelta(days=rule.days)
    done = exists().where(Followed.rule_id == rule.id, Followed.ticket_id == Ticket.id)
    query = select(Ticket.id).where(
        Ticket.solved_at > max(rule.since, until - _LATE),
        Ticket.solved_at <= until,
        Ticket.category.in_(_SOLVED),
        Ticket.merged_into_id.is_(None),
        ~done,
    )
    if rule.team_id is not None:
        query = query.where(Ticket.team_id == rule.team_id)
    if rule.type_id is not None:
        query = query.where(Ticket.type_id == rule.type_id)
    if rule.priority:
        query = query.where(Ticket.priority == rule.priority)
    if rule.tag:
        query = query.where(Ticket.tags.any(Tag.name == rule.tag))
    return db.session.scalars(query.order_by(Ticket.solved_at, Ticket.id).limit(BATCH)).all()


def _follow(rule_id: int, ticket_ids: Sequence[int]) -> int:
    rule = db.session.get(FollowUpRule, rule_id, populate_existing=True)
    if rule is None:
        return 0
    query = select(Ticket).where(Ticket.id.in_(ticket_ids)).order_by(Ticket.id)
    tickets = db.session.scalars(query.options(joinedload(Ticket.requester), selectinload(Ticket.tags))).all()
    chosen = settings(CallbackSettings)
    had = _had({ticket.requester_id for ticket in tickets}, now() - timedelta(days=chosen.follow_up_days))
    made = 0
    for ticket in tickets:
        call = None
        if had.get(ticket.requester_id, 0) < chosen.follow_up_most:
            call = _make(rule, ticket)
        if call is not None:
            had[ticket.requester_id] = had.get(ticket.requester_id, 0) + 1
            made += 1
        db.session.add(Followed(rule_id=rule.id, ticket_id=ticket.id, call_id=call.id if call is not None else None))
    return made


def _had(people: Collection[int], since: datetime) -> dict[int, int]:
    """How many each has had by rules. One query."""
    query = (
        select(Call.person_id, func.count())
        .where(Call.person_id.in_(people), Call.source == RULE, Call.created_at >= since)
        .group_by(Call.person_id)
    )
    return {person: number for person, number in db.session.execute(query)}


def _make(rule: FollowUpRule, ticket: Ticket) -> Call | None:
    """The call or mail, or None where it cannot be: nobody to write to, no number, no time."""
    person = ticket.requester
    if not person.active or person.is_staff or person.is_service:
        return None
    if rule.kind == MAIL and (not person.email or not person.care_mail or person.bounced_at is not None):
        return None
    start = quarter_up(now() + timedelta(minutes=1))
    if rule.kind == MAIL:
        return _book(rule, ticket, start)
    for slot in islice(slots.all_free(usual_maker(ticket)[0], None, start), _TRIES):
        call = _book(rule, ticket, slot.start)
        if call is not None:
            return call
    return None


def _book(rule: FollowUpRule, ticket: Ticket, start: datetime) -> Call | None:
    draft = CallDraft(
        start,
        reason_id=rule.reason_id if rule.reason is not None and rule.reason.active else None,
        reason=rule.words if rule.kind == CALL else "",
        priority=ticket.priority,
        source=RULE,
        kind=rule.kind,
        rule_id=rule.id,
    )
    try:
        return book(ticket, draft, None)
    except (Invalid, Refused):
        return None
