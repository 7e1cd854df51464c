"""Canned responses: answers that are kept, found again and put into a reply, each in several languages.

``render`` fills their placeholders (core/placeholders.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from babel import Locale, UnknownLocaleError
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select, tuple_, update
from sqlalchemy.orm import selectinload

from helpdesk.core import circles, i18n, languages
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import CannedResponse, CannedText, Ticket, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.view import MINE
from helpdesk.core.permissions import NotAllowed, allowed, require
from helpdesk.core.placeholders import Filled, UnknownPlaceholder, check, render
from helpdesk.core.transaction import transaction

__all__ = [
    "Canned",
    "Filled",
    "InvalidCanned",
    "UnknownPlaceholder",
    "count_use",
    "delete",
    "find",
    "folders",
    "language_of",
    "listed",
    "may_change",
    "render",
    "save",
    "save_text",
    "text_of",
]

NAME_LENGTH, TEXT_LENGTH, LOCALE_LENGTH, PAGE = 120, 20_000, 20, 100


class InvalidCanned(Exception):
    """A canned response cannot be kept like that; ``field`` is where, the text a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass
class Canned:
    """What a canned response is to be. ``texts``: by language; an empty one is left out."""

    name: str
    texts: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    shared_with: str = MINE
    team_id: int | None = None
    active: bool = True


def shown_to(user: User) -> ColumnElement[bool]:
    """Which canned responses somebody has: their own, those of their teams, and everybody's."""
    return circles.shown_to(CannedResponse, user)


def listed(
    user: User, text: str = "", *, after: CannedResponse | None = None, only_active: bool = False, limit: int = PAGE
) -> Sequence[CannedResponse]:
    """What somebody has whose name, folder or words contain ``text``, by folder and name, ``limit`` at most.

    With their texts and teams, in two queries. ``after`` is the last of the page before.
    """
    query = select(CannedResponse).where(shown_to(user))
    for word in storable(text).split()[:8]:
        named = (CannedResponse.name, CannedResponse.folder)
        said = CannedResponse.texts.any(CannedText.text.icontains(word, autoescape=True))
        query = query.where(or_(said, *(column.icontains(word, autoescape=True) for column in named)))
    if only_active:
        query = query.where(CannedResponse.active)
    order = (CannedResponse.folder, CannedResponse.name, CannedResponse.id)
    if after is not None:
        query = query.where(tuple_(*order) > tuple_(after.folder, after.name, after.id))
    return db.session.scalars(query.options(selectinload(CannedResponse.texts)).order_by(*order).limit(limit)).all()


def find(number: int, user: User) -> CannedResponse | None:
    """The canned response of that number if ``user`` has it. Not yours and not there are the same answer."""
    query = select(CannedResponse).where(CannedResponse.id == number, shown_to(user))
    return db.session.scalar(query.options(selectinload(CannedResponse.texts)))


def folders(user: User) -> Sequence[str]:
    """The folders of what somebody has, by name, 200 at most."""
    query = select(CannedResponse.folder).where(shown_to(user), CannedResponse.folder != "").distinct()
    return db.session.scalars(query.order_by(CannedResponse.folder).limit(200)).all()


def may_change(response: CannedResponse, user: User) -> bool:
    """Whether somebody may change or delete it: one's own, and with ``canned.share`` what is shared."""
    if not allowed(user, "canned.save"):
        return False
    return response.owner_id == user.id or (response.shared_with != MINE and allowed(user, "canned.share"))


def language_of(ticket: Ticket) -> str:
    """The language in which its customer is answered."""
    return ticket.locale or ticket.requester.locale or i18n.default_locale()


def text_of(response: CannedResponse, locale: str | None) -> str:
    """Its words in ``locale``; else along its chain (``zh_TW``, ``zh_Hant``, ``zh``), in another form of that language,
    in the desk's language, or any.
    """
    texts = {row.locale: row.text for row in response.texts}
    language = languages.base(locale)
    related = [code for code in texts if language and languages.base(code) == language]
    for code in (*languages.chain(locale), *related, *i18n.fallbacks(None), *texts):
        if code in texts:
            return texts[code]
    return ""


def save(response: CannedResponse | None, wanted: Canned, actor: User) -> CannedResponse:
    """Make a canned response (None), or change one. Joins or opens the transaction.

    Raises :class:`InvalidCanned` with what is wrong, and NotAllowed: everybody keeps their own and their teams'
    (``canned.save``), everybody's need ``canned.share``.
    """
    require(actor, "canned.save")
    # Before anything is said of what was typed.
    if response is not None and not may_change(response, actor):
        raise NotAllowed("canned.share")
    wanted = _checked(wanted, actor)
    with transaction():
        if response is None:
            response = CannedResponse(owner_id=actor.id, name=wanted.name)
            db.session.add(response)
        response.name, response.folder = wanted.name, wanted.folder
        response.shared_with, response.team_id = wanted.shared_with, wanted.team_id
        response.active, response.updated_at = wanted.active, now()
        _put(response, wanted.texts)
        db.session.flush()
    return response


def save_text(response: CannedResponse, locale: str, text: str, actor: User) -> CannedResponse:
    """Keep what a canned response says in one language; the others stay, and "" takes that one away.

    Joins or opens the transaction. Raises :class:`InvalidCanned` and NotAllowed, as :func:`save` does.
    """
    texts = {row.locale: row.text for row in response.texts} | {locale: text}
    wanted = Canned(response.name, texts, response.folder, response.shared_with, response.team_id, response.active)
    return save(response, wanted, actor)


def delete(response: CannedResponse, actor: User) -> None:
    """Delete one. Joins or opens the transaction. Raises NotAllowed."""
    require(actor, "canned.save")
    if not may_change(response, actor):
        raise NotAllowed("canned.share")
    with transaction():
        db.session.delete(response)


def count_use(response: CannedResponse) -> None:
    """Note that it was put into an answer. Joins or opens the transaction."""
    with transaction():
        db.session.execute(
            update(CannedResponse)
            .where(CannedResponse.id == response.id)
            .values(used=CannedResponse.used + 1, used_at=now())
        )


def _put(response: CannedResponse, texts: Mapping[str, str]) -> None:
    rows = {row.locale: row for row in response.texts}
    for locale, row in rows.items():
        if locale not in texts:
            response.texts.remove(row)
    for locale, text in texts.items():
        if locale in rows:
            rows[locale].text = text
        else:
            response.texts.append(CannedText(locale=locale, text=text))


def _checked(wanted: Canned, actor: User) -> Canned:
    name = " ".join(storable(wanted.name).split())
    if not name:
        raise InvalidCanned("name", _("Give it a name."))
    parts = [" ".join(part.split()) for part in storable(wanted.folder).split("/")]
    folder = " / ".join(part for part in parts if part)
    for where, text in (("name", name), ("folder", folder)):
        if len(text) > NAME_LENGTH:
            raise InvalidCanned(where, _("This is too long; %(number)s characters fit.", number=NAME_LENGTH))
    try:
        team_id = circles.checked_team(wanted.shared_with, wanted.team_id, actor)
    except circles.InvalidCircle as problem:
        raise InvalidCanned(problem.field, str(problem)) from problem
    return Canned(name, _checked_texts(wanted.texts), folder, wanted.shared_with, team_id, wanted.active)


def _checked_texts(texts: Mapping[str, str]) -> Mapping[str, str]:
    found = {locale: storable(text).replace("\r\n", "\n").strip() for locale, text in texts.items()}
    found = {locale: text for locale, text in found.items() if text}
    if not found:
        raise InvalidCanned("text", _("Write its text, in one language at least."))
    for locale, text in found.items():
        where = f"text_{locale}"
        if not _is_language(locale):
            raise InvalidCanned("text", _("“%(name)s” is no language.", name=locale))
        if len(text) > TEXT_LENGTH:
            raise InvalidCanned(where, _("This text is too long; %(number)s characters fit.", number=TEXT_LENGTH))
        try:
            check(text)
        except UnknownPlaceholder as problem:
            raise InvalidCanned(where, str(problem)) from problem
    return found


def _is_language(code: str) -> bool:
    """Whether it is the code of a language: customers may be answered in more of them than the screen speaks."""
    try:
        return len(code) <= LOCALE_LENGTH and str(Locale.parse(code)) == code
    except (ValueError, UnknownLocaleError):
        return False
