"""What people and organizations own: said by hand or by a file, and what they bought."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import select

from helpdesk.api import Invalid, User, db, now, require, transaction
from helpdesk.api import gettext as _
from helpdesk_customers.criteria import owned_on
from helpdesk_customers.models import Ownership
from helpdesk_customers.money import sku_key
from helpdesk_customers.offering import tell_products
from helpdesk_customers.orders import MOST_PIECES, NAME_LENGTH, bought
from helpdesk_customers.permissions import EDIT
from helpdesk_customers.subjects import Subject, ids_of, is_of
from helpdesk_customers.texts import line

SERIAL_LENGTH, MOST_SHOWN = 100, 200


def own(
    subject: Subject,
    sku: str,
    actor: User | None,
    *,
    name: str = "",
    quantity: int = 1,
    serial: str = "",
    since: date | None = None,
    until: date | None = None,
) -> Ownership:
    """Say that somebody owns a product; of the same serial number it is changed, "" is a serial number as well.

    One transaction, joined or opened. Raises :class:`Invalid` (sku, name, quantity, serial, until) and NotAllowed.
    """
    require(actor, EDIT)
    key = sku_key(sku)
    name, serial = line(name, "name", NAME_LENGTH), line(serial, "serial", SERIAL_LENGTH)
    if not 0 < quantity <= MOST_PIECES:
        raise Invalid("quantity", _("Write a number of pieces from 1 to %(most)s.", most=MOST_PIECES))
    if since is not None and until is not None and until < since:
        raise Invalid("until", _("The last day is before the first; choose a later one."))
    with transaction():
        # Two who say the same at once come one after the other.
        db.session.execute(select(type(subject).id).where(type(subject).id == subject.id).with_for_update())
        same = (is_of(subject, Ownership), Ownership.sku == key, Ownership.serial == serial)
        row = db.session.scalar(select(Ownership).where(*same))
        if row is None:
            row = Ownership(**ids_of(subject), sku=key, serial=serial)
            db.session.add(row)
        row.name, row.quantity, row.since, row.until = name, quantity, since, until
        db.session.flush()
        tell_products([row.user_id], [row.organization_id])
    return row


def disown(ownership: Ownership, actor: User | None) -> None:
    """Take a product away again, as if it had never been said. Raises NotAllowed."""
    require(actor, EDIT)
    with transaction():
        people, firms = [ownership.user_id], [ownership.organization_id]
        db.session.delete(ownership)
        db.session.flush()
        tell_products(people, firms)


def owned_of(subject: Subject, limit: int = MOST_SHOWN) -> Sequence[Ownership]:
    """What was said that somebody owns or owned, what is owned now first. One query."""
    today = now().date()
    query = select(Ownership).where(is_of(subject, Ownership))
    query = query.order_by(Ownership.until.is_not(None), Ownership.until.desc(), Ownership.id.desc()).limit(limit)
    rows = db.session.scalars(query).all()
    return sorted(rows, key=lambda row: not is_owned(row, today))


def is_owned(row: Ownership, today: date) -> bool:
    """Whether it is owned on a day."""
    return (row.since is None or row.since <= today) and (row.until is None or row.until >= today)


def owned_skus(user_id: int) -> set[str]:
    """The article numbers that somebody owns today, or has bought and not sent back. Two queries."""
    return owned_skus_of([user_id])[user_id]


def owned_skus_of(user_ids: Iterable[int]) -> Mapping[int, set[str]]:
    """The same for several people, by the person. Two queries, however many."""
    ids = list(user_ids)
    found = {number: set(skus) for number, skus in bought(ids).items()}
    query = select(Ownership.user_id, Ownership.sku).where(Ownership.user_id.in_(ids), owned_on(now().date()))
    for owner, sku in db.session.execute(query):
        if owner is not None:
            found[owner].add(sku)
    return found
