"""What people have agreed to: a ledger of words and proofs, of which the newest of each purpose counts."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, false, func, select, update
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    Ticket,
    User,
    db,
    now,
    pgettext,
    publish,
    require,
    settings,
    transaction,
    visible_tickets,
)
from helpdesk.api import gettext as _
from helpdesk_customers.models import GIVEN, WITHDRAWN, Consent
from helpdesk_customers.permissions import EDIT
from helpdesk_customers.settings import CustomerSettings
from helpdesk_customers.texts import block

OFFERS = "offers"
# How somebody can have said it.
SAID_BY = ("phone", "email", "form", "paper", "talk", "import")
TEXT_LENGTH = 5_000


def purposes() -> list[tuple[str, str]]:
    """What people may agree to, with its name: what everybody has, then what the owner has added."""
    found = [
        (OFFERS, _("Offers")),
        ("news", _("News")),
        ("calls", pgettext("customer", "Calls")),
        ("profile", _("Use of purchases for suggestions")),
    ]
    names = settings(CustomerSettings).more_purposes.replace("，", ",").split(",")
    keys = {key for key, _label in found}
    for name in names:
        clean = " ".join(name.split())[:60]
        key = _key(clean)
        if clean and key not in keys:
            keys.add(key)
            found.append((key, clean))
    return found


def note_consent(
    user: User,
    purpose: str,
    given: bool,
    actor: User | None,
    *,
    way: str,
    words: str = "",
    proof: str = "",
    at: datetime | None = None,
    ticket: Ticket | None = None,
) -> Consent:
    """Take down that somebody agreed to something or withdrew it: ``words`` they agreed to, ``proof`` that they did.

    Told later than a newer word it counts for the past only. One transaction, joined or opened. Raises
    :class:`Invalid` (purpose, way, words, proof, at) and NotAllowed.
    """
    require(actor, EDIT)
    if purpose not in {key for key, _label in purposes()}:
        raise Invalid("purpose", _("Choose what was agreed to."))
    if way not in SAID_BY:
        raise Invalid("way", _("Choose how it was said."))
    moment = now()
    if at is not None and at > moment:
        raise Invalid("at", _("Nobody agrees in the future; choose another day."))
    words, proof = block(words, "words", TEXT_LENGTH), block(proof, "proof", TEXT_LENGTH)
    if given and not (words or proof):
        raise Invalid("proof", _("Write what proves it, such as the words that were said, or where the paper lies."))
    with transaction():
        # Whoever else takes something down about this person waits here.
        db.session.execute(select(User.id).where(User.id == user.id).with_for_update())
        last = db.session.scalar(_newest([user.id], purpose))
        row = Consent(user_id=user.id, purpose=purpose, state=GIVEN if given else WITHDRAWN, way=way, words=words,
                      proof=proof, at=at or moment, noted_at=moment)  # fmt: skip
        row.ticket_id = ticket.id if ticket is not None else None
        row.actor_id = actor.id if actor is not None else None
        row.newest = last is None or row.at >= last.at
        if row.newest and last is not None:
            last.newest = False
            db.session.flush()
        db.session.add(row)
        db.session.flush()
        if row.newest:
            publish("customers_consent_changed", person_id=user.id, purpose=purpose, given=given)
    return row


def note_many(
    purpose: str, said: Mapping[int, tuple[bool, str]], actor: User | None, *, way: str, again: bool = True
) -> None:
    """:func:`note_consent` for many people by their numbers: whether they agree, and the proof. What is new is noted.

    Without ``again`` nobody agrees who has withdrawn it. Inside the transaction; five statements, however many. The
    permission is the caller's matter.
    """
    numbers, moment = sorted(said), now()
    db.session.execute(select(User.id).where(User.id.in_(numbers)).order_by(User.id).with_for_update())
    last = {row.user_id: row for row in db.session.scalars(_newest(numbers, purpose))}
    new = [number for number in numbers if number not in last or (last[number].state == GIVEN) != said[number][0]]
    if not again:
        new = [number for number in new if number not in last or not said[number][0]]
    for number in new:
        if number in last:
            last[number].newest = False
    db.session.flush()
    for number in new:
        given, proof = said[number]
        row = Consent(user_id=number, purpose=purpose, state=GIVEN if given else WITHDRAWN, way=way,
                      proof=block(proof, "proof", TEXT_LENGTH), at=moment, noted_at=moment, newest=True)  # fmt: skip
        row.actor_id = actor.id if actor is not None else None
        db.session.add(row)
        publish("customers_consent_changed", person_id=number, purpose=purpose, given=given)
    db.session.flush()


def has_consent(user_id: int, purpose: str = OFFERS) -> bool:
    """Whether somebody's newest word on it is yes. One query; who said nothing has not agreed."""
    return bool(consenting([user_id], purpose))


def consenting(user_ids: Iterable[int], purpose: str = OFFERS) -> set[int]:
    """Those whose newest word on it is yes. One query, however many."""
    given = select(Consent.user_id).where(Consent.purpose == purpose, Consent.newest, Consent.state == GIVEN)
    return set(db.session.scalars(given.where(Consent.user_id.in_(list(user_ids)))))


def standing(user: User) -> dict[str, Consent]:
    """The newest word of somebody on each purpose. One query."""
    query = select(Consent).where(Consent.user_id == user.id, Consent.newest)
    return {row.purpose: row for row in db.session.scalars(query.options(joinedload(Consent.actor)))}


def lately(user: User, viewer: User, limit: int) -> Sequence[tuple[Consent, bool]]:
    """The newest word on each purpose, and so many of all, the newest first; whether the viewer may see its ticket.

    One query.
    """
    last = select(Consent.id).where(Consent.user_id == user.id).order_by(Consent.at.desc(), Consent.id.desc())
    seen = func.coalesce(Consent.ticket_id.in_(visible_tickets(viewer).with_only_columns(Ticket.id)), false())
    query = select(Consent, seen).where(Consent.user_id == user.id, Consent.newest | Consent.id.in_(last.limit(limit)))
    rows = db.session.execute(query.options(joinedload(Consent.actor)).order_by(Consent.at.desc(), Consent.id.desc()))
    return [(row, bool(is_seen)) for row, is_seen in rows]


def history(user: User, limit: int = 100) -> Sequence[Consent]:
    """All that somebody agreed to and withdrew, the newest first. One query."""
    query = select(Consent).where(Consent.user_id == user.id).options(joinedload(Consent.actor))
    return db.session.scalars(query.order_by(Consent.at.desc(), Consent.id.desc()).limit(limit)).all()


def settle_newest(user_ids: Iterable[int]) -> None:
    """Find out anew which row is the newest of each purpose, after rows have come or gone. Inside the transaction."""
    ids = list(user_ids)
    rows = db.session.execute(
        select(Consent.id, Consent.user_id, Consent.purpose)
        .where(Consent.user_id.in_(ids))
        .order_by(Consent.at, Consent.id)
    ).all()
    newest = {(owner, purpose): number for number, owner, purpose in rows}
    mine = update(Consent).where(Consent.user_id.in_(ids)).execution_options(synchronize_session=False)
    # First none, then those: a purpose has one at most at any time.
    db.session.execute(mine.where(Consent.newest).values(newest=False))
    if newest:
        db.session.execute(mine.where(Consent.id.in_(newest.values())).values(newest=True))
    db.session.expire_all()


def _newest(user_ids: Iterable[int], purpose: str) -> Select[Consent]:
    return select(Consent).where(Consent.user_id.in_(list(user_ids)), Consent.purpose == purpose, Consent.newest)


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).lower()
    return re.sub(r"\W+", "_", plain).strip("_")[:40]
