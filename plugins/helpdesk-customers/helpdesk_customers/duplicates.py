"""People who may be one: found at night by keys that both have, decided on by people, and remembered."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select
from sqlalchemy.orm import aliased, contains_eager

from helpdesk.api import PersonMerge, User, Work, audit, db, merge_people, now, require, schedule, transaction
from helpdesk.api import gettext as _
from helpdesk_customers.duplicate_keys import keys_of, same_phone
from helpdesk_customers.duplicate_models import MAIL, NAME, PHONE, REASONS, DuplicateKey, Pair

LOOK, RIGHT = "customers.duplicates", "person.merge"
SCORES = {MAIL: 60, PHONE: 50, NAME: 40}
# More who share a key share a switchboard, and are not one person.
MOST_ALIKE = 6
_BATCH = 500


@dataclass(frozen=True)
class Difference:
    """What both have and have differently, as people read it."""

    key: str
    label: str
    one: str
    other: str


# ---- decided on by people


def open_pairs(after: int = 0, limit: int = 50) -> list[Pair]:
    """The pairs that wait for a decision, the newest first; ``after`` is the number of the last one of the page before.

    One query.
    """
    return _listed(after, limit, Pair.dismissed_at.is_(None))


def dismissed_pairs(after: int = 0, limit: int = 50) -> list[Pair]:
    """The pairs of which somebody has said that they are two. One query."""
    return _listed(after, limit, Pair.dismissed_at.is_not(None))


def find_pairs_of(person: User) -> list[Pair]:
    """Who may be the same as a person, the likeliest first. One query."""
    mine = or_(Pair.one_id == person.id, Pair.other_id == person.id)
    return sorted(_listed(0, _BATCH, Pair.dismissed_at.is_(None), mine), key=lambda pair: (-pair.score, pair.id))


def dismiss(pair: Pair, actor: User | None) -> Pair:
    """Say that they are two people; nobody is asked again. Joins or opens the transaction; audited. NotAllowed."""
    require(actor, RIGHT)
    with transaction():
        db.session.refresh(pair, with_for_update={"of": Pair})
        if pair.dismissed_at is None:
            pair.dismissed_at, pair.dismissed_by_id = now(), actor.id if actor is not None else None
            audit("customers.duplicate_dismissed", actor, f"#{pair.one_id}, #{pair.other_id}")
    return pair


def restore(pair: Pair, actor: User | None) -> Pair:
    """Ask again whether they are one. Joins or opens the transaction; audited. Raises NotAllowed."""
    require(actor, RIGHT)
    with transaction():
        db.session.refresh(pair, with_for_update={"of": Pair})
        if pair.dismissed_at is not None:
            pair.dismissed_at = pair.dismissed_by_id = None
            audit("customers.duplicate_restored", actor, f"#{pair.one_id}, #{pair.other_id}")
    return pair


def merge_pair(pair: Pair, survivor: User, actor: User | None, take: Collection[str] = ()) -> PersonMerge:
    """They are one: let the other go on in ``survivor``, as ``helpdesk.api.merge_people`` does. One transaction.

    Raises Invalid and NotAllowed.
    """
    with transaction():
        other = pair.other if survivor.id == pair.one_id else pair.one
        merge = merge_people(survivor, other, actor, take)
        gone = or_(Pair.one_id == other.id, Pair.other_id == other.id)
        db.session.execute(
            delete(Pair).where(Pair.dismissed_at.is_(None), gone).execution_options(synchronize_session="fetch")
        )
    return merge


def compare(one: User, other: User) -> list[Difference]:
    """The values that both have and have differently: of these somebody chooses when they are merged."""
    labels = {
        "name": _("Name"),
        "phone": _("Phone"),
        "locale": _("Language"),
        "time_zone": _("Time zone"),
        "organization_id": _("Organization"),
    }
    found = []
    for key, label in labels.items():
        mine, theirs = getattr(one, key), getattr(other, key)
        if mine and theirs and mine != theirs:
            found.append(Difference(key, label, _shown(one, key), _shown(other, key)))
    return found


def reason_label(key: str) -> str:
    """Why two may be one, in words."""
    return {
        MAIL: _("The same address in another form"),
        PHONE: _("The same phone number"),
        NAME: _("The same name in the same organization"),
    }.get(key, key)


def look_now() -> None:
    """Have a worker look for duplicates."""
    schedule(LOOK, key=LOOK)


def forget(person: User) -> None:
    """Leave nothing of what somebody was compared by. Inside the transaction."""
    db.session.execute(delete(DuplicateKey).where(DuplicateKey.user_id == person.id))
    db.session.execute(delete(Pair).where(or_(Pair.one_id == person.id, Pair.other_id == person.id)))


def _shown(person: User, key: str) -> str:
    if key == "organization_id":
        return person.organization.name if person.organization is not None else ""
    return str(getattr(person, key))


def _listed(after: int, limit: int, *which: ColumnElement[bool]) -> list[Pair]:
    """With both people as they are now: one who was merged, or is shut, waits for no decision."""
    one, other = aliased(User), aliased(User)
    query = (
        select(Pair)
        .join(one, and_(one.id == Pair.one_id, one.active, one.merged_into_id.is_(None)))
        .join(other, and_(other.id == Pair.other_id, other.active, other.merged_into_id.is_(None)))
        .where(*which)
        .options(
            contains_eager(Pair.one.of_type(one)).joinedload(one.organization),
            contains_eager(Pair.other.of_type(other)).joinedload(other.organization),
        )
        .order_by(Pair.id.desc())
    )
    if after:
        query = query.where(Pair.id < after)
    return list(db.session.scalars(query.limit(limit)))


# ---- found at night


def look(work: Work) -> None:
    """Compare keys anew, and note who shares them (a job). In steps of 500; the same answer however often it runs."""
    for batch in _customers():
        with work.step():
            _keep_keys(batch)
    found = _alike()
    known = set(found)
    for start in range(0, len(found), _BATCH):
        part = sorted(found)[start : start + _BATCH]
        with work.step():
            _keep_pairs({pair: found[pair] for pair in part})
    _drop_old(work, known)


def _customers() -> Iterator[Sequence[int]]:
    """The numbers of everybody, 500 at a time."""
    last = 0
    while numbers := db.session.scalars(select(User.id).where(User.id > last).order_by(User.id).limit(_BATCH)).all():
        last = numbers[-1]
        yield numbers


def _can_double(person: User) -> bool:
    return not person.is_staff and person.active and not person.is_service and person.merged_into_id is None


def _keep_keys(numbers: Sequence[int]) -> None:
    people = {row.id: row for row in db.session.scalars(select(User).where(User.id.in_(numbers))) if _can_double(row)}
    wanted = {(number, kind): key for number, row in people.items() for kind, key in keys_of(row).items()}
    query = select(DuplicateKey.user_id, DuplicateKey.kind, DuplicateKey.key)
    there = {(row[0], row[1]): row[2] for row in db.session.execute(query.where(DuplicateKey.user_id.in_(numbers)))}
    changed = {place for place, key in there.items() if wanted.get(place) != key}
    for kind in REASONS:
        if gone := [number for number, its in changed if its == kind]:
            old = delete(DuplicateKey).where(DuplicateKey.user_id.in_(gone), DuplicateKey.kind == kind)
            db.session.execute(old.execution_options(synchronize_session=False))
    new = [
        {"user_id": number, "kind": kind, "key": key}
        for (number, kind), key in wanted.items()
        if there.get((number, kind)) != key
    ]
    if new:
        db.session.execute(insert(DuplicateKey), new)


def _alike() -> dict[tuple[int, int], set[str]]:
    """Who shares a key with whom, and of which kinds. Two queries for 500 keys that are shared."""
    found: dict[tuple[int, int], set[str]] = {}
    for kind in REASONS:
        last = ""
        while keys := _shared(kind, last):
            last = keys[-1]
            for group in _groups(kind, keys):
                for one, other in combinations(group, 2):
                    if kind != PHONE or same_phone(one[1], other[1]):
                        found.setdefault((one[0], other[0]), set()).add(kind)
    return found


def _shared(kind: str, after: str) -> Sequence[str]:
    size = func.count(DuplicateKey.user_id)
    query = select(DuplicateKey.key).where(DuplicateKey.kind == kind, DuplicateKey.key > after)
    query = query.group_by(DuplicateKey.key).having(size.between(2, MOST_ALIKE)).order_by(DuplicateKey.key)
    return db.session.scalars(query.limit(_BATCH)).all()


def _groups(kind: str, keys: Sequence[str]) -> Iterator[list[tuple[int, str | None]]]:
    query = select(DuplicateKey.key, User.id, User.phone_key).join(User, User.id == DuplicateKey.user_id)
    query = query.where(DuplicateKey.kind == kind, DuplicateKey.key.in_(keys)).order_by(DuplicateKey.key, User.id)
    groups: dict[str, list[tuple[int, str | None]]] = {}
    for key, number, phone in db.session.execute(query):
        groups.setdefault(key, []).append((number, phone))
    yield from groups.values()


def _keep_pairs(found: dict[tuple[int, int], set[str]]) -> None:
    ones = {one for one, _other in found}
    there = {(row.one_id, row.other_id): row for row in db.session.scalars(select(Pair).where(Pair.one_id.in_(ones)))}
    new: list[dict[str, Any]] = []
    for pair, kinds in found.items():
        reasons = [kind for kind in REASONS if kind in kinds]
        score = min(99, sum(SCORES[kind] for kind in reasons))
        if (row := there.get(pair)) is None:
            new.append({"one_id": pair[0], "other_id": pair[1], "reasons": reasons, "score": score})
        elif row.reasons != reasons:
            row.reasons, row.score = reasons, score
    if new:
        db.session.execute(insert(Pair), new)


def _drop_old(work: Work, known: Collection[tuple[int, int]]) -> None:
    """Pairs that have nothing in common any more go; those that somebody has decided on stay."""
    last = 0
    while True:
        query = select(Pair.id, Pair.one_id, Pair.other_id).where(Pair.id > last, Pair.dismissed_at.is_(None))
        rows = db.session.execute(query.order_by(Pair.id).limit(_BATCH)).all()
        if not rows:
            return
        last = rows[-1][0]
        if gone := [row[0] for row in rows if (row[1], row[2]) not in known]:
            with work.step():
                old = delete(Pair).where(Pair.id.in_(gone), Pair.dismissed_at.is_(None))
                db.session.execute(old.execution_options(synchronize_session=False))
