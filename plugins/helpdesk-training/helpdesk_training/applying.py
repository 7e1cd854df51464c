"""Apply rules: look for whom they are, and take back what was meant for where somebody is no more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import selectinload

from helpdesk.api import Ticket, User, db, hookimpl, now, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_training import rules
from helpdesk_training.assigning import Cause, days_after, give, of_path
from helpdesk_training.models import (
    ASSIGNED,
    GROUP,
    LOW,
    NEW,
    OPEN_STATES,
    PUBLISHED,
    ROLE,
    TEAM,
    WITHDRAWN,
    Assignment,
    Course,
    LowAnswer,
    Rule,
)
from helpdesk_training.scopes import STAFF

_STANDING = (ROLE, TEAM, GROUP, NEW)


def apply_rules() -> None:
    """Give everybody what the rules say, each once; withdraw what somebody has not begun whom a rule means no more.

    A job, inside its transaction. A number of queries that grows with the rules and not with the people.
    """
    _withdraw_of_who_left()
    found = rules.active(_STANDING)
    if not found:
        return
    people = _staff()
    groups = {one["key"]: one["user_ids"] for one in rules.groups()} if any(r.occasion == GROUP for r in found) else {}
    given: dict[int, set[int]] = {}
    held = select(Assignment.rule_id, Assignment.user_id).where(Assignment.rule_id.in_([one.id for one in found]))
    for rule_id, user_id in db.session.execute(held.distinct()):
        given.setdefault(rule_id or 0, set()).add(user_id)
    for rule in found:
        if rule.occasion == GROUP and rule.group_key not in groups:
            # Its plugin is off, or could not say: that nobody is in the group is not known.
            continue
        meant = [person for person in people if _means(rule, person, groups)]
        _withdraw_of_others(rule, {person.id for person in meant})
        due = [person for person in meant if person.id not in given.get(rule.id, ())]
        if due and (wanted := gifts(rule, now())):
            give(due, wanted, Cause(rule.occasion, rule_id=rule.id, path_id=rule.path_id))


def apply_now() -> int:
    """The same for the command line, in a transaction of its own; how many assignments are new."""
    with transaction():
        before = db.session.scalar(select(func.max(Assignment.id))) or 0
        apply_rules()
        return db.session.scalar(select(func.count()).where(Assignment.id > before)) or 0


def gifts(rule: Rule, start: datetime) -> list[tuple[Course, datetime | None]]:
    """What a rule gives, and by when."""
    if rule.path is not None:
        return of_path(rule.path, start) if rule.path.active else []
    if rule.course is None or rule.course.state != PUBLISHED:
        return []
    return [(rule.course, days_after(start, rule.due_days))]


@hookimpl(optionalhook=True)
def surveys_answered(response_id: int, kind: str, score: int | None, ticket_id: int | None) -> None:
    """A low answer about somebody's ticket counts towards the rules that look at such ones.

    One that was made better counts no more; what it led to stays.
    """
    found = rules.active([LOW])
    if not found or score is None or ticket_id is None:
        return
    ticket = db.session.get(Ticket, ticket_id)
    person = ticket.assignee if ticket is not None else None
    if ticket is None or person is None or not person.active or person.role not in STAFF:
        return
    tags = {tag.name for tag in ticket.tags}
    for rule in found:
        counted = db.session.get(LowAnswer, (rule.id, response_id))
        if not _counts(rule, kind, score, tags, person):
            if counted is not None:
                db.session.delete(counted)
            continue
        if counted is None:
            db.session.add(LowAnswer(rule_id=rule.id, response_id=response_id, user_id=person.id, at=now()))
            db.session.flush()
            _follow(rule, person, ticket)


def _follow(rule: Rule, person: User, ticket: Ticket) -> None:
    """Give what the rule says once there are as many low answers as it wants, since it gave something last."""
    moment = now()
    last = select(func.max(Assignment.assigned_at)).where(
        Assignment.rule_id == rule.id, Assignment.user_id == person.id
    )
    since = max(filter(None, [moment - timedelta(days=rule.days), db.session.scalar(last)]))
    count = select(func.count()).select_from(LowAnswer)
    low = count.where(LowAnswer.rule_id == rule.id, LowAnswer.user_id == person.id, LowAnswer.at > since)
    if (db.session.scalar(low) or 0) < rule.times:
        return
    if wanted := gifts(rule, moment):
        # Somebody may have done it before; it is wanted again.
        cause = Cause(LOW, path_id=rule.path_id, rule_id=rule.id, ticket_id=ticket.id, again=True)
        give([person], wanted, cause)


def _counts(rule: Rule, kind: str, score: int, tags: set[str], person: User) -> bool:
    if rule.kind != kind or score > rule.most or (rule.tag and rule.tag not in tags):
        return False
    return _fits(rule, person)


def _means(rule: Rule, person: User, groups: dict[str, set[int]]) -> bool:
    if rule.occasion == GROUP and person.id not in groups.get(rule.group_key, ()):
        return False
    if rule.occasion == NEW and person.created_at < rule.since:
        return False
    return _fits(rule, person)


def _fits(rule: Rule, person: User) -> bool:
    """Whether somebody has the role and is in the team that a rule names, of whatever occasion it is."""
    if rule.role and person.role != rule.role:
        return False
    return rule.team_id is None or any(team.id == rule.team_id for team in person.teams)


def _staff() -> Sequence[User]:
    query = select(User).where(User.role.in_(STAFF), User.active, ~User.is_service)
    return db.session.scalars(query.options(selectinload(User.teams)).order_by(User.id)).all()


def _withdraw_of_others(rule: Rule, meant: set[int]) -> None:
    """What somebody has not begun and a rule of a role, a team or a group does not mean them for any more."""
    if rule.occasion == NEW:
        return
    waits = select(Assignment).where(Assignment.rule_id == rule.id, Assignment.state == ASSIGNED)
    for one in db.session.scalars(waits):
        if one.user_id not in meant:
            with speaking(None):
                why = _("The rule “%(name)s” is not about this person any more.", name=rule.name)
            one.state, one.next_at, one.withdrawn_why = WITHDRAWN, None, why


def _withdraw_of_who_left() -> None:
    """Nobody waits for somebody who is not on the staff any more."""
    gone: Any = select(User.id).where(or_(~User.active, User.role.not_in(STAFF)))
    with speaking(None):
        why = _("The person is not on the staff any more.")
    db.session.execute(
        update(Assignment)
        .where(Assignment.state.in_(OPEN_STATES), Assignment.user_id.in_(gone))
        .values(state=WITHDRAWN, next_at=None, withdrawn_why=why)
        .execution_options(synchronize_session="fetch")
    )
