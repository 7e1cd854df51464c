"""Whether the record is as it was written: every link, every entry, and every blanked one explained. Reads only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, func, select

from helpdesk.core.audit import digests, erasing, guarding
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, AuditLink

_CHUNK = 1000


@dataclass
class Verdict:
    """What was checked, what is wrong (``broken``, a sentence) at which link, and whether the database guards it."""

    links: int = 0
    erased: int = 0
    # Entries that are not linked yet; the next batch takes them.
    unlinked: int = 0
    chain: str = digests.BEGINNING
    broken: str = ""
    at_link: int | None = None
    # Triggers that should keep the record and do not: what it says may be right all the same.
    unguarded: Sequence[str] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """What to keep elsewhere: with it, nobody can cut off the end or write all of it anew unseen."""
        return f"{self.links}:{self.chain}"


class BadAnchor(Exception):
    """What was given as an anchor is none; the text is a sentence."""


class _Broken(Exception):
    pass


def verify(expected: str = "", tell: Callable[[int], object] = lambda checked: None) -> Verdict:
    """Go through all of it, a thousand links at a time, so that memory does not grow with it.

    ``expected`` is an anchor of an earlier time; ``tell`` hears how far it is. No transaction stays open between two
    steps. Raises :class:`BadAnchor`.
    """
    number, chain = _parsed(expected)
    verdict = Verdict(unguarded=guarding.missing())
    try:
        for row in _rows():
            _check(row, verdict)
            if verdict.links == number and verdict.chain != chain:
                raise _Broken(_("It is not the chain that the anchor was taken from."))
            if verdict.links % _CHUNK == 0:
                tell(verdict.links)
        if verdict.links < number:
            raise _Broken(_("Its end is missing: the anchor was taken at link %(number)s.", number=number))
        verdict.at_link = None
        _check_erasings()
        verdict.unlinked = _check_unlinked()
    except _Broken as broken:
        verdict.broken = str(broken)
    finally:
        db.session.rollback()
    return verdict


def _parsed(anchor: str) -> tuple[int, str]:
    if not anchor:
        return 0, ""
    number, _colon, chain = anchor.strip().partition(":")
    if not (number.isdecimal() and len(number) < 19 and len(chain) == 64 and set(chain) <= set("0123456789abcdef")):
        raise BadAnchor(_("An anchor is a number, a colon and 64 signs, as “helpdesk audit verify” prints it."))
    return int(number), chain


def _rows() -> Iterator[Row[Any]]:
    entry, link = AuditEntry, AuditLink
    query = select(
        link.id.label("link"),
        link.entry_id,
        link.digest.label("kept"),
        link.chain,
        entry.id,
        entry.at,
        entry.actor_id,
        entry.action,
        entry.subject,
        entry.data,
        entry.address,
        entry.salt,
        entry.digest,
        entry.erased_by,
    ).outerjoin(entry, entry.id == link.entry_id)
    last = -(2**31)
    while rows := db.session.execute(query.where(link.id > last).order_by(link.id).limit(_CHUNK)).all():
        db.session.rollback()
        last = rows[-1].link
        yield from rows


def _check(row: Row[Any], verdict: Verdict) -> None:
    verdict.at_link = row.link
    if row.link != verdict.links + 1:
        raise _Broken(_("A link is missing before it."))
    if row.id is None:
        raise _Broken(_("Its entry, number %(number)s, is gone.", number=row.entry_id))
    if digests.of_entry(row.id, row.at, row.actor_id, row.action, row.digest or "") != row.kept:
        raise _Broken(_("Its entry, number %(number)s, was changed.", number=row.id))
    _check_details(row)
    if digests.of_link(verdict.chain, row.link, row.kept) != row.chain:
        raise _Broken(_("It does not go on from the link before it."))
    verdict.links, verdict.chain = row.link, row.chain
    verdict.erased += row.salt is None


def _check_details(row: Row[Any]) -> None:
    if row.salt is not None:
        if digests.of_details(row.salt, row.subject, row.data, row.address) != row.digest:
            raise _Broken(_("The details of entry number %(number)s were changed.", number=row.id))
    elif row.erased_by is None:
        raise _Broken(_("Entry number %(number)s was blanked, and no erasing of a person explains it.", number=row.id))


def _check_erasings() -> None:
    """Each erasing says how many entries it blanked, and which: neither more nor fewer point to it."""
    query = (
        select(AuditEntry.id, AuditEntry.data)
        .where(AuditEntry.action == erasing.ERASED)
        .order_by(AuditEntry.id)
        .limit(_CHUNK)
    )
    last, explained, before = 0, 0, _blanked()
    while rows := db.session.execute(query.where(AuditEntry.id > last)).all():
        last = rows[-1].id
        for row in rows:
            # What was erased before there was a chain says nothing of it.
            count = row.data.get(erasing.COUNT, 0)
            if count:
                _check_erasing(row.id, row.data)
            explained += count
    # Somebody may have been erased meanwhile.
    if not before <= explained <= _blanked():
        raise _Broken(_("Entries were blanked, and no erasing of a person explains them."))


def _blanked() -> int:
    query = select(func.count(AuditEntry.id)).where(AuditEntry.erased_by.is_not(None))
    return db.session.scalar(query) or 0


def _check_erasing(number: int, data: dict[str, Any]) -> None:
    mine = AuditEntry.erased_by == number
    query = select(AuditEntry.id).where(mine).order_by(AuditEntry.id)
    blanked = db.session.scalars(query.execution_options(yield_per=_CHUNK))
    is_as_said = erasing.which(blanked) == data.get(erasing.WHICH)
    if not is_as_said or db.session.scalar(select(func.count(AuditEntry.id)).where(mine)) != data[erasing.COUNT]:
        raise _Broken(_("Other entries were blanked than the erasing in entry number %(number)s says.", number=number))


def _check_unlinked() -> int:
    """Entries that wait for their link have a digest of their details all the same."""
    linked = select(AuditLink.id).where(AuditLink.entry_id == AuditEntry.id).exists()
    columns = AuditEntry.__table__.c
    count = 0
    for row in db.session.execute(select(*columns).where(~linked).execution_options(yield_per=_CHUNK)):
        count += 1
        if row.digest is not None:
            _check_details(row)
    return count
