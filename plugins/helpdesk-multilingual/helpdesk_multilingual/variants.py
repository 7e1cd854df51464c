"""Texts in several languages side by side: canned responses, names that the owner gave, texts that the owner worded."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from helpdesk.api import (
    Invalid,
    InvalidCanned,
    InvalidWording,
    User,
    Wording,
    allowed,
    audit,
    corrected_texts,
    db,
    default_locale,
    find_canned,
    find_wording,
    keep_wording,
    list_canned,
    may_change_canned,
    named_things,
    now,
    number_in,
    reader,
    require,
    save_canned_text,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import cursors, engines, languages
from helpdesk_multilingual.models import (
    CANNED,
    CHECKED,
    LABEL,
    MACHINE,
    MAIL,
    MISSING,
    OUTDATED,
    PERSON,
    STATUSES,
    Variant,
)
from helpdesk_multilingual.permissions import MANAGE

# So many are looked at to fill a page of those with one status.
_MOST = 2_000
_STEP = 100


@dataclass(frozen=True)
class Row:
    """One text in its own language and in another. ``checked_by``: a name."""

    kind: str
    key: str
    name: str
    source_locale: str
    source_text: str
    locale: str
    text: str = ""
    status: str = MISSING
    made: str = PERSON
    checked_by: str | None = None
    checked_at: datetime | None = None
    may_change: bool = True
    # What the list goes on behind.
    number: int = 0


# ---- reading


def listed(
    kind: str, locale: str, status: str = "", after: str | None = None, limit: int = 30, user: User | None = None
) -> tuple[list[Row], str | None]:
    """Texts of a kind beside those in ``locale``, of one status if one is named, and where the next page begins.

    ``user``: who looks; the reader of the page if nobody is named. A few queries for each hundred that are looked at.
    """
    last = cursors.read(after, int)
    found: list[Row] = []
    for row in _rows(kind, locale, user or reader(), last[0] if last is not None else 0):
        if status and row.status != status:
            continue
        if len(found) == limit:
            return found, cursors.written(found[-1].number)
        found.append(row)
    return found, None


def counts(kind: str, locale: str, user: User) -> dict[str, int]:
    """How many of them have which status, of the first two thousand."""
    found = dict.fromkeys(STATUSES, 0)
    for row in _rows(kind, locale, user, 0):
        found[row.status] += 1
    return found


def find(kind: str, key: str, locale: str, user: User) -> Row | None:
    """One of them, or None for what somebody does not have."""
    if kind == CANNED:
        number = number_in(key)
        response = find_canned(number, user) if number is not None else None
        rows = [] if response is None else [_of_canned(response, locale, user, 0)]
    else:
        wording = find_wording(key) if _is_of(kind, key) else None
        rows = [] if wording is None else [_of_wording(kind, wording, locale, user, 0)]
    return next(_with_states(kind, locale, rows), None)


# ---- writing


def save(kind: str, key: str, locale: str, text: str, user: User, made: str = PERSON) -> None:
    """Keep a text in a language, made by a person (so it is checked as well) or by a machine. Joins or opens; audited.

    Raises Invalid with what is wrong, and NotAllowed: who may change a text is the desk's to say.
    """
    require(user, MANAGE)
    row = _known(kind, key, locale, user)
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid("text", _("Write the text."))
    with transaction():
        _write(row, text, user)
        _note(row, text, user, made)
        audit("multilingual.text_saved", user, row.name, {"kind": kind, "language": locale, "made": made})


def check(kind: str, key: str, locale: str, user: User) -> None:
    """Say that a text is right as it is. Joins or opens the transaction; audited. Raises Invalid and NotAllowed."""
    require(user, MANAGE)
    row = _known(kind, key, locale, user)
    if not row.text:
        raise Invalid("text", _("There is no text yet."))
    with transaction():
        _note(row, row.text, user, PERSON)
        audit("multilingual.text_checked", user, row.name, {"kind": kind, "language": locale})


def suggest(kind: str, key: str, locale: str, user: User) -> str:
    """What an engine makes of a text; nothing is kept. Outside transactions.

    Raises :class:`~helpdesk_multilingual.engines.NoEngine` or Late, Invalid and NotAllowed.
    """
    require(user, MANAGE)
    row = _known(kind, key, locale, user)
    return engines.translate([row.source_text], row.source_locale, locale).texts[0]


def _known(kind: str, key: str, locale: str, user: User) -> Row:
    code = languages.tidy(locale)
    row = find(kind, key, code, user) if code else None
    if row is None:
        raise Invalid("text", _("This text is not there any more."))
    return row


def _write(row: Row, text: str, user: User) -> None:
    try:
        if row.kind == CANNED:
            response = find_canned(int(row.key), user)
            if response is None:
                raise Invalid("text", _("This text is not there any more."))
            save_canned_text(response, row.locale, text, user)
            return
        wording = find_wording(row.key)
        if wording is None:
            raise Invalid("text", _("This text is not there any more."))
        keep_wording(wording, row.locale, text, user)
    except (InvalidCanned, InvalidWording) as problem:
        raise Invalid("text", str(problem)) from problem


def _note(row: Row, text: str, user: User, made: str) -> None:
    kept = db.session.get(Variant, (row.kind, row.key, row.locale))
    if kept is None:
        kept = Variant(kind=row.kind, key=row.key, locale=row.locale)
        db.session.add(kept)
    kept.source_digest, kept.text_digest, kept.made = _digest(row.source_text), _digest(text), made
    is_checked = made == PERSON
    kept.checked_by_id, kept.checked_at = (user.id, now()) if is_checked else (None, None)


# ---- rows


def _rows(kind: str, locale: str, user: User, after: int) -> Iterator[Row]:
    """The texts of a kind, hundred by hundred."""
    every = _canned(locale, user) if kind == CANNED else _worded(kind, locale, user)
    step: list[Row] = []
    for row in every:
        if row.number <= after:
            continue
        step.append(row)
        if len(step) == _STEP:
            yield from _with_states(kind, locale, step)
            step = []
    yield from _with_states(kind, locale, step)


def _canned(locale: str, user: User) -> Iterator[Row]:
    last, number = None, 0
    while number < _MOST:
        found = list_canned(user, after=last, limit=_STEP)
        for response in found:
            number += 1
            yield _of_canned(response, locale, user, number)
        if len(found) < _STEP:
            return
        last = found[-1]


def _worded(kind: str, locale: str, user: User) -> Iterator[Row]:
    wordings = named_things() if kind == LABEL else corrected_texts()
    for number, wording in enumerate(wordings[:_MOST], 1):
        yield _of_wording(kind, wording, locale, user, number)


def _of_canned(response: object, locale: str, user: User, number: int) -> Row:
    texts = {row.locale: row.text for row in response.texts}  # type: ignore[attr-defined]
    own = default_locale()
    source = own if own in texts else next((code for code in texts if code != locale), next(iter(texts), own))
    return Row(
        CANNED,
        str(response.id),  # type: ignore[attr-defined]
        response.name,  # type: ignore[attr-defined]
        source,
        texts.get(source, ""),
        locale,
        texts.get(locale, ""),
        may_change=may_change_canned(response, user),  # type: ignore[arg-type]
        number=number,
    )


def _of_wording(kind: str, wording: Wording, locale: str, user: User, number: int) -> Row:
    text = wording.source if locale == wording.locale else wording.texts.get(locale, "")
    may = allowed(user, "language.edit")
    return Row(
        kind, wording.key, wording.name, wording.locale, wording.source, locale, text, may_change=may, number=number
    )


def _is_of(kind: str, key: str) -> bool:
    return (kind == MAIL) == key.startswith("corrected:")


def _with_states(kind: str, locale: str, rows: Sequence[Row]) -> Iterator[Row]:
    """The same with what is kept about each. One query."""
    if not rows:
        return
    keys = [row.key for row in rows]
    query = (
        select(Variant, User.name)
        .outerjoin(User, User.id == Variant.checked_by_id)
        .where(Variant.kind == kind, Variant.locale == locale, Variant.key.in_(keys))
    )
    kept = {variant.key: (variant, name) for variant, name in db.session.execute(query)}
    for row in rows:
        variant, name = kept.get(row.key, (None, None))
        yield _with_state(row, variant, name)


def _with_state(row: Row, kept: Variant | None, name: str | None) -> Row:
    status, made, by, at = _status(row, kept), PERSON, None, None
    if kept is not None and kept.text_digest == _digest(row.text):
        made, by, at = kept.made, name, kept.checked_at
    return Row(**{**row.__dict__, "status": status, "made": made, "checked_by": by, "checked_at": at})


def _status(row: Row, kept: Variant | None) -> str:
    if not row.text:
        return MISSING
    if row.locale == row.source_locale or kept is None:
        # Somebody wrote it where it is made.
        return CHECKED
    if kept.source_digest != _digest(row.source_text):
        return OUTDATED
    if kept.text_digest != _digest(row.text):
        return CHECKED
    return MACHINE if kept.made == MACHINE and kept.checked_at is None else CHECKED


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode("utf-8", "replace")).hexdigest()
