"""What languages agents have: who can take a ticket, and which tickets nobody can read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from helpdesk.api import (
    Invalid,
    NotAllowed,
    Team,
    Ticket,
    User,
    allowed,
    audit,
    cached,
    db,
    default_locale,
    drop_cached,
    free_to_take,
    hookimpl,
    require,
    settings,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import languages
from helpdesk_multilingual.models import BASIC, GOOD, LEVELS, NATIVE, AgentLanguage
from helpdesk_multilingual.permissions import MANAGE, USE
from helpdesk_multilingual.settings import MultilingualSettings

# Who reads well comes first.
_RANK = {NATIVE: 0, GOOD: 1, BASIC: 2}


def of(user: User) -> dict[str, str]:
    """The languages of somebody with their levels, by code. No query while nothing changes."""
    return dict(_all().get(user.id, {}))


def save(user: User, spoken: Mapping[str, str], actor: User) -> None:
    """Give one of staff exactly these languages, code and level. Joins or opens; of a colleague audited.

    Everybody says it of themselves, of others who looks after languages. Raises Invalid and NotAllowed.
    """
    require(actor, USE if actor.id == user.id else MANAGE)
    if not user.is_staff:
        raise NotAllowed(MANAGE)
    wanted = {}
    for code, level in spoken.items():
        if not languages.known(code) or level not in LEVELS:
            raise Invalid("language", _("Choose a language and a level of the list."))
        wanted[code] = level
    with transaction():
        # A form that was sent twice waits for itself.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update())
        db.session.execute(delete(AgentLanguage).where(AgentLanguage.user_id == user.id))
        if wanted:
            rows = [{"user_id": user.id, "language": code, "level": level} for code, level in wanted.items()]
            db.session.execute(insert(AgentLanguage), rows)
        if actor.id != user.id:
            audit("multilingual.agent_languages_changed", actor, user.display_name, {"languages": sorted(wanted)})
        drop_cached()


def readers(language: str | None) -> list[int]:
    """Who reads a language, the best first, by number. No query while nothing changes."""
    found = [
        (_RANK[level], number)
        for number, spoken in _all().items()
        for code, level in spoken.items()
        if languages.same(code, language)
    ]
    return list(dict.fromkeys(number for _rank, number in sorted(found)))


def able_in(language: str) -> list[int]:
    """Who has a language well or as their first one, by number. No query while nothing changes."""
    return [
        number
        for number, spoken in _all().items()
        if any(languages.same(code, language) and level != BASIC for code, level in spoken.items())
    ]


def can_read(user: User, language: str | None) -> bool:
    """Whether somebody reads a language: one of theirs, or that of their screen. No query."""
    own = [*_all().get(user.id, {}), user.locale or default_locale()]
    return not language or any(languages.same(code, language) for code in own)


def unreadable(ticket: Ticket) -> bool:
    """Whether nobody of the desk reads the language of a ticket. No query while nothing changes.

    The desk's own language is everybody's, and who has the screen in one reads it.
    """
    if not ticket.locale or languages.same(ticket.locale, default_locale()):
        return False
    return not readers(ticket.locale) and not any(languages.same(code, ticket.locale) for code in _screens())


@hookimpl
def choose_assignee(ticket: Ticket) -> User | None:
    """Who is there, reads the language and has the least to do, of the ticket's team where it has one.

    None for the desk's own language, and when there is nobody: then the ticket's team decides as for any other.
    Five queries at most.
    """
    language = ticket.locale
    if not settings(MultilingualSettings).assign or not language or languages.same(language, default_locale()):
        return None
    those = readers(language)
    query: Any = select(User).where(User.id.in_(those), User.active, User.is_service.is_(False))
    if ticket.team_id is not None:
        query = query.where(User.teams.any(Team.id == ticket.team_id))
    people = db.session.scalars(query).all() if those else []
    busy, spoken = free_to_take(ticket, people), _all()
    return min(
        (user for user in people if user.id in busy and allowed(user, "ticket.reply")),
        key=lambda user: (_level(spoken.get(user.id, {}), language), busy[user.id], user.id),
        default=None,
    )


def _level(spoken: Mapping[str, str], language: str) -> int:
    # Who has it well or as their first language takes it as well as the other.
    levels = [_RANK[level] for code, level in spoken.items() if languages.same(code, language)]
    return 1 if levels and min(levels) == _RANK[BASIC] else 0


def _all() -> dict[int, dict[str, str]]:
    return cached("multilingual:agents", _load)


def _screens() -> list[str]:
    return cached("multilingual:screens", _load_screens)


def _load_screens() -> list[str]:
    query = select(User.locale).where(User.role != "requester", User.active, User.is_service.is_(False)).distinct()
    return sorted(code for code in db.session.scalars(query) if code)


def _load() -> dict[int, dict[str, str]]:
    query = (
        select(AgentLanguage)
        .join(User, User.id == AgentLanguage.user_id)
        .where(User.active, User.is_service.is_(False))
        .order_by(AgentLanguage.user_id, AgentLanguage.language)
    )
    found: dict[int, dict[str, str]] = {}
    for row in db.session.scalars(query):
        found.setdefault(row.user_id, {})[row.language] = row.level
    return found
