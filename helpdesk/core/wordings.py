"""What the owner has put into words, with each text in every language: names of things, and corrected texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import audit, catalogs, corrections, i18n, labels, words
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, Team, TicketField, TicketType, Topic, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction

__all__ = ["InvalidWording", "Wording", "corrected", "find", "keep", "named"]

CORRECTED = "corrected"
# Who may name what, and how the record calls that.
_LABELS: Mapping[str, tuple[Any, str, str, str]] = {
    labels.TEAM: (Team, "name", "team.edit", "team.changed"),
    labels.TYPE: (TicketType, "name", "field.edit", "type.changed"),
    labels.TOPIC: (Topic, "name", "field.edit", "topic.changed"),
    labels.STATUS: (Status, "name", "status.edit", "status.changed"),
    labels.FIELD: (TicketField, "label", "field.edit", "field.changed"),
}
_LENGTH = 100


class InvalidWording(Exception):
    """A text cannot be kept; the words say why."""


@dataclass(frozen=True)
class Wording:
    """A text of the owner's. ``key`` names it ("team:3"); ``source`` stands in ``locale``, ``texts`` by language."""

    key: str
    name: str
    locale: str
    source: str
    texts: Mapping[str, str] = field(default_factory=dict)


def named() -> Sequence[Wording]:
    """The names of teams, types, topics, statuses and fields, by kind and number. Five queries."""
    own = i18n.default_locale()
    found = []
    for kind, (model, column, _permission, _act) in _LABELS.items():
        rows = db.session.execute(select(model.id, getattr(model, column)).order_by(model.id).limit(1_000))
        for number, name in rows:
            if name:
                found.append(Wording(f"{kind}:{number}", name, own, name, labels.texts(kind, number)))
    return found


def corrected() -> Sequence[Wording]:
    """The texts of pages and mails that the owner words in some language, by their English. No query of its own."""
    own = i18n.default_locale()
    found: dict[tuple[str | None, str], dict[str, str]] = {}
    for locale, some in words.current().corrections.items():
        for one in some:
            if one.plural is None and one.texts:
                found.setdefault(one.key, {})[locale] = one.texts[0]
    return [
        Wording(
            f"{CORRECTED}:{catalogs.digest_of(key)}",
            key[1][:80],
            own if own in texts else catalogs.SOURCE_LOCALE,
            texts.get(own) or texts.get(catalogs.SOURCE_LOCALE) or key[1],
            texts,
        )
        for key, texts in sorted(found.items(), key=lambda one: (one[0][1], one[0][0] or ""))
    ]


def find(key: str) -> Wording | None:
    """The text of that key, or None."""
    return next((one for one in _all(key) if one.key == key), None)


def keep(wording: Wording, locale: str, text: str, actor: User) -> None:
    """Keep a text in one more language. Joins or opens the transaction; audited.

    Raises :class:`InvalidWording` for what cannot be kept, and NotAllowed: each kind belongs to those who name it.
    """
    kind, _colon, rest = wording.key.partition(":")
    if kind == CORRECTED:
        _correct(rest, locale, text, actor)
        return
    model, column, permission, act = _LABELS[kind]
    require(actor, permission)
    if labels.too_long({locale: text}, _LENGTH):
        raise InvalidWording(_("This is too long; %(number)s characters fit.", number=_LENGTH))
    with transaction():
        row = db.session.get(model, int(rest))
        if row is None:
            raise InvalidWording(_("This text is not there any more."))
        if locale == wording.locale:
            raise InvalidWording(_("This is the text itself. Change it where it is made."))
        labels.keep(kind, row.id, {locale: text})
        audit.record(act, actor, str(getattr(row, column)))


def _correct(digest: str, locale: str, text: str, actor: User) -> None:
    require(actor, "language.edit")
    found = corrections.known(locale, digest)
    if found is None:
        raise InvalidWording(_("This text is not there any more."))
    try:
        corrections.correct(locale, found, [text], actor)
    except corrections.WrongText as problem:
        raise InvalidWording(str(problem)) from problem


def _all(key: str) -> Iterator[Wording]:
    yield from corrected() if key.startswith(f"{CORRECTED}:") else named()
