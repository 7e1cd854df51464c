"""What levels and certificates do: open permissions, be needed for others, and take tickets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from helpdesk.api import (
    Tag,
    Team,
    Ticket,
    User,
    allowed,
    cached,
    db,
    free_to_take,
    hookimpl,
    now,
)
from helpdesk_career.models import NEEDS, OPENS, TAKES, Level, Person, Rule
from helpdesk_career.offering import certificates
from helpdesk_career.scopes import here


@dataclass(frozen=True)
class _Rule:
    """A rule as it is kept in memory."""

    act: str
    permission: str
    level_id: int | None
    certificate: str
    type_id: int | None
    topic_id: int | None
    tag: str
    priority: str
    gives: bool


@dataclass(frozen=True)
class _Rules:
    """All rules, and who meets what: the levels that count for each, who holds which, who has which certificate."""

    by_act: Mapping[str, Sequence[_Rule]]
    # For each level of a rule: that level and the higher ones of its track.
    enough: Mapping[int, frozenset[int]]
    held: Mapping[int, int]
    certified: Mapping[str, Mapping[int, datetime | None]]

    def meets(self, user_id: int, rule: _Rule) -> bool:
        """Whether somebody has the level or the certificate that a rule names."""
        if rule.level_id is not None:
            return self.held.get(user_id) in self.enough.get(rule.level_id, frozenset())
        holders = self.certified.get(rule.certificate, {})
        if user_id not in holders:
            return False
        end = holders[user_id]
        return end is None or end > now()

    def those_who_meet(self, rules: Collection[_Rule]) -> list[int]:
        """Everybody who meets all of some rules."""
        everybody = {*self.held, *(number for holders in self.certified.values() for number in holders)}
        return sorted(number for number in everybody if all(self.meets(number, rule) for rule in rules))


def _rules() -> _Rules:
    return cached("career:rules", _load)


def _load() -> _Rules:
    rows = [
        _Rule(one.act, one.permission, one.level_id, one.certificate, one.type_id, one.topic_id, one.tag, one.priority,
              one.gives)
        for one in db.session.scalars(select(Rule).order_by(Rule.id))
    ]  # fmt: skip
    if not rows:
        return _Rules({}, {}, {}, {})
    places = {row.id: row for row in db.session.execute(select(Level.id, Level.track_id, Level.position))}
    enough = {
        number: frozenset(
            other.id
            for other in places.values()
            if other.track_id == places[number].track_id and other.position >= places[number].position
        )
        for number in {row.level_id for row in rows if row.level_id is not None}
        if number in places
    }
    query = select(Person.user_id, Person.level_id).where(Person.level_id.is_not(None))
    held = {user_id: level_id for user_id, level_id in db.session.execute(query) if level_id is not None}
    named = {row.certificate for row in rows if row.certificate}
    known = certificates() if named else {}
    by_act = {act: tuple(row for row in rows if row.act == act) for act in (OPENS, NEEDS, TAKES)}
    return _Rules(by_act, enough, held, {key: one.holders for key, one in known.items() if key in named})


@hookimpl
def opened_permissions(user: User) -> Collection[str]:
    """What the level and the certificates of somebody open to them. No query while nothing changes."""
    rules = _rules()
    # The rule's list is looked at again: a permission may have become one that decides about levels.
    return {
        rule.permission
        for rule in rules.by_act.get(OPENS, ())
        if not rule.permission.startswith("career.") and rules.meets(user.id, rule)
    }


@hookimpl
def veto(user: User, permission: str) -> bool | None:
    """Deny to agents what takes a level or certificate that they have not. Of several rules one is enough."""
    if user.role != "agent" or user.is_service:
        return None
    rules = _rules()
    asked = [rule for rule in rules.by_act.get(NEEDS, ()) if rule.permission == permission]
    if asked and not any(rules.meets(user.id, rule) for rule in asked):
        return False
    return None


def rules_for(tickets: Sequence[Ticket]) -> dict[int, list[_Rule]]:
    """The rules that take each of some tickets; those that none takes are left out. One query for tags at most."""
    taking = _rules().by_act.get(TAKES, ())
    if not taking:
        return {}
    tags = _tags(tickets) if any(rule.tag for rule in taking) else {}
    found = {}
    for ticket in tickets:
        mine = [rule for rule in taking if _is_about(rule, ticket, tags.get(ticket.id, frozenset()))]
        if mine:
            found[ticket.id] = mine
    return found


def _is_about(rule: _Rule, ticket: Ticket, tags: Collection[str]) -> bool:
    return (
        (rule.type_id is None or rule.type_id == ticket.type_id)
        and (rule.topic_id is None or rule.topic_id == ticket.topic_id)
        and (not rule.priority or rule.priority == ticket.priority)
        and (not rule.tag or rule.tag in tags)
    )


def _tags(tickets: Sequence[Ticket]) -> dict[int, frozenset[str]]:
    query = select(Ticket.id, Tag.name).join(Ticket.tags).where(Ticket.id.in_([ticket.id for ticket in tickets]))
    rows = db.session.execute(query)
    found: dict[int, set[str]] = {}
    for number, name in rows:
        found.setdefault(number, set()).add(name)
    return {number: frozenset(names) for number, names in found.items()}


@hookimpl
def limit_assignees(tickets: Sequence[Ticket], people: Sequence[User]) -> Mapping[int, Collection[int]]:
    """Such tickets go by themselves only to who has the level or certificate; all rules about one must be met."""
    rules = _rules()
    return {
        number: [user.id for user in people if all(rules.meets(user.id, rule) for rule in mine)]
        for number, mine in rules_for(tickets).items()
    }


@hookimpl
def choose_assignee(ticket: Ticket) -> User | None:
    """Of those whom a rule gives such tickets to, who is there and has the least to do; None where there is no rule.

    As many queries however many people there are, and none while no rule takes tickets.
    """
    mine = rules_for([ticket]).get(ticket.id, [])
    if not any(rule.gives for rule in mine):
        return None
    numbers = _rules().those_who_meet(mine)
    query = select(User).where(User.id.in_(numbers), here(), User.id != ticket.requester_id)
    if ticket.team_id is not None:
        query = query.where(User.teams.any(Team.id == ticket.team_id))
    people = db.session.scalars(query).all() if numbers else []
    busy = free_to_take(ticket, people)
    free = sorted((user for user in people if user.id in busy), key=lambda user: (busy[user.id], user.id))
    # One by one: whether somebody sees the ticket is a query for each.
    return next((user for user in free if allowed(user, "ticket.reply", ticket)), None)
