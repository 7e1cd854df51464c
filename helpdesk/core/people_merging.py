"""Make one of two records of the same customer, and take that back.

The merged row stays, for what points to it: nobody signs in to it, and mail from its address is the survivor's. What
was moved is noted row by row, so that undoing moves back exactly that, and nothing that came later.
"""

from collections.abc import Collection
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from helpdesk.core import accounts, api_tokens, audit, search
from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, PersonMerge, PersonMergeRow, Ticket, Token, User
from helpdesk.core.models.search import PERSON
from helpdesk.core.moved_rows import move_back, move_rows, place_of
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.handing_over import hand_back, hand_over

MERGED, UNMERGED = "people_merged", "people_unmerged"
RIGHT = "person.merge"
# What the one may take from the other. Empty ones are filled anyway.
VALUES = ("name", "phone", "locale", "time_zone", "organization_id")
# Whoever said that no care mail is wanted said it for both; an address goes only where there is none.
_SHOWN = (joinedload(PersonMerge.survivor), joinedload(PersonMerge.merged), joinedload(PersonMerge.actor))
_MOST_SHOWN = 100


def merge_people(survivor: User, other: User, actor: User | None, take: Collection[str] = ()) -> PersonMerge:
    """Let ``other``, a second record of the same customer, go on in ``survivor``: tickets, messages, what is followed.

    ``take`` names the values of ``other`` that win (of :data:`VALUES`); those that the survivor lacks are filled in.
    Nobody signs in to ``other`` any more, nothing of its way in (password, sessions, tokens) is the survivor's, and
    mail from its address is the survivor's. The history of each ticket says so; ``people_merged`` tells plugins. Joins
    or opens the transaction; audited. Raises :class:`Invalid` (the same, staff, a program, one that is switched off
    or merged already, an unknown value) and NotAllowed.
    """
    require(actor, RIGHT)
    if unknown := sorted(set(take) - set(VALUES)):
        raise Invalid("take", _("“%(name)s” cannot be taken from the other record.", name=unknown[0]))
    if survivor.id == other.id:
        raise Invalid("other", _("Choose two different customers."))
    with transaction():
        _lock(survivor.id, other.id)
        for person in (survivor, other):
            _check(person)
        merge = PersonMerge(survivor=survivor, merged=other, actor=actor)
        db.session.add(merge)
        db.session.flush()
        tickets = hand_over(merge, survivor, actor)
        for column in (Message.author_id, Ticket.last_author_id, User.merged_into_id):
            move_rows(merge.id, column)
        _close(other, survivor, actor)
        merge.data = {"values": _join_values(survivor, other, frozenset(take)), "tickets": tickets}
        search.mark(PERSON, (survivor.id, other.id))
        audit.record("user.merged", actor, _called(survivor), {"other": _called(other), "tickets": tickets})
        record(MERGED, None, actor, _told(merge))
    return merge


def unmerge_people(merge: PersonMerge, actor: User | None) -> PersonMerge:
    """Undo a merge: exactly what it moved goes back, as far as the survivor still has it. Once is enough.

    What came since, from either address, stays with the survivor, and so do values that somebody changed since. The
    other may sign in again. Records ``people_unmerged``. Joins or opens the transaction; audited. Raises NotAllowed.
    """
    require(actor, RIGHT)
    with transaction():
        _lock(merge.survivor_id, merge.merged_id)
        db.session.refresh(merge, with_for_update={"of": PersonMerge})
        if merge.undone_at is not None:
            return merge
        survivor, merged = merge.survivor, merge.merged
        holder = survivor.merged_into or survivor
        tickets = hand_back(merge, holder, actor)
        move_back(merge.id, Message.author_id)
        # Where something was written since, that is the newest.
        move_back(merge.id, Ticket.last_author_id, Ticket.last_message_at <= merge.merged_at)
        move_back(merge.id, User.merged_into_id)
        _forget_pointer(merge)
        merged.merged_into_id, merged.active = None, True
        accounts.shut_out(merged)
        _part_values(survivor, merged, merge.data.get("values", {}))
        merge.undone_at = now()
        search.mark(PERSON, (survivor.id, merged.id))
        audit.record("user.unmerged", actor, _called(survivor), {"other": _called(merged), "tickets": tickets})
        record(UNMERGED, None, actor, _told(merge))
    return merge


def merges_of(person: User) -> list[PersonMerge]:
    """The merges that took others into a person's record and can be undone, the newest first. One query."""
    query = select(PersonMerge).where(PersonMerge.survivor_id == person.id, PersonMerge.undone_at.is_(None))
    return list(db.session.scalars(query.options(*_SHOWN).order_by(PersonMerge.id.desc()).limit(_MOST_SHOWN)))


def merge_numbered(number: int) -> PersonMerge | None:
    """The merge of that number with its people, or None. One query."""
    return db.session.scalar(select(PersonMerge).where(PersonMerge.id == number).options(*_SHOWN))


def records_of(person: User) -> list[User]:
    """The records that went into a person's, over any number of merges, the oldest first. One query."""
    return list(db.session.scalars(select(User).where(User.merged_into_id == person.id).order_by(User.id)))


def forget_merges(people: Collection[User]) -> None:
    """Leave nothing of the merges of people who are erased: none can be undone. Joins the open transaction."""
    numbers = [person.id for person in people]
    theirs = PersonMerge.survivor_id.in_(numbers) | PersonMerge.merged_id.in_(numbers)
    db.session.execute(delete(PersonMerge).where(theirs).execution_options(synchronize_session="fetch"))


def _lock(*numbers: int) -> None:
    """All records of these people as they are now, in the order of their numbers, so that nobody waits in a circle.

    Whoever they went into is among them, and who else did: what moves on goes with those.
    """
    into = select(func.coalesce(User.merged_into_id, User.id)).where(User.id.in_(numbers))
    people = list(db.session.scalars(into))
    query = select(User).where(User.id.in_(people) | User.merged_into_id.in_(people))
    query = query.order_by(User.id).with_for_update(of=User)
    db.session.scalars(query.execution_options(populate_existing=True)).all()


def _check(person: User) -> None:
    name = person.display_name
    if person.is_staff or person.is_service:
        raise Invalid("other", _("%(name)s works here; only customers can be merged.", name=name))
    if person.merged_into_id is not None:
        raise Invalid("other", _("%(name)s was merged with somebody else already.", name=name))
    if not person.active:
        raise Invalid("other", _("%(name)s is switched off; switch the account on first.", name=name))


def _close(other: User, survivor: User, actor: User | None) -> None:
    api_tokens.revoke_all(other, actor)
    db.session.execute(delete(Token).where(Token.user_id == other.id))
    accounts.shut_out(other)
    other.active, other.merged_into_id = False, survivor.id


def _join_values(survivor: User, other: User, take: Collection[str]) -> dict[str, list[Any]]:
    """What the survivor's values were and became; none where nothing changed."""
    changed: dict[str, list[Any]] = {}
    for key in VALUES:
        before, theirs = getattr(survivor, key), getattr(other, key)
        if theirs and theirs != before and (key in take or not before):
            changed[key] = [before, theirs]
            setattr(survivor, key, theirs)
    if survivor.care_mail and not other.care_mail:
        changed["care_mail"] = [True, False]
        survivor.care_mail = False
    if other.email and not survivor.email:
        changed["email"] = [None, other.email]
        _move_address(other, survivor)
    return changed


def _part_values(survivor: User, merged: User, changed: dict[str, list[Any]]) -> None:
    for key, (before, after) in changed.items():
        if getattr(survivor, key) != after:
            continue
        if key == "email":
            _move_address(survivor, merged)
        else:
            setattr(survivor, key, before)


def _move_address(of: User, to: User) -> None:
    """An address is one person's: it goes before it comes."""
    address, of.email = of.email, None
    db.session.flush()
    to.email = address


def _forget_pointer(merge: PersonMerge) -> None:
    """A later merge that took the record along has nothing to say of it any more, wherever it goes from here."""
    later = (PersonMergeRow.merge_id > merge.id, PersonMergeRow.row_id == merge.merged_id)
    gone = delete(PersonMergeRow).where(PersonMergeRow.place == place_of(User.merged_into_id), *later)
    db.session.execute(gone.execution_options(synchronize_session=False))


def _called(person: User) -> str:
    return person.email or f"#{person.id}"


def _told(merge: PersonMerge) -> dict[str, int]:
    return {"merge_id": merge.id, "survivor_id": merge.survivor_id, "merged_id": merge.merged_id}
