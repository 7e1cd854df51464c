"""Translations that people confirmed: found again for the same text and for similar ones."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlalchemy import delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from helpdesk.api import (
    Invalid,
    Ticket,
    User,
    audit,
    db,
    now,
    require,
    settings,
    transaction,
    visible_tickets,
)
from helpdesk.api import gettext as _
from helpdesk_multilingual import cursors, languages, similar
from helpdesk_multilingual.models import Pair, PairBand
from helpdesk_multilingual.permissions import MANAGE
from helpdesk_multilingual.protection import protect
from helpdesk_multilingual.settings import MultilingualSettings

# A paragraph that is longer is no phrase that comes again.
LONGEST = 4_000
_CANDIDATES, _MEASURED, _ASKED = 2_000, 100, 1_000
SAME, GONE, NEW = "same", "gone", "new"
_PIECE = re.compile(r"\w+|\W")


@dataclass(frozen=True)
class Match:
    """A pair that fits a text; ``changes`` say how its text differs: (same | gone | new, words)."""

    pair: Pair
    score: float
    changes: Sequence[tuple[str, str]] = ()

    @property
    def is_exact(self) -> bool:
        return self.score >= 1


# ---- finding


def look_up(text: str, source: str, target: str, limit: int = 5, user: User | None = None) -> list[Match]:
    """The pairs that fit a text, the best first: the same one, else those that are as similar as the settings want.

    ``user``: who looks; of similar ones only what was said on tickets that they may see. None is the desk itself.
    At most two queries, by index, however many pairs there are.
    """
    words = similar.even(text)
    if not words or len(text) > LONGEST:
        return []
    exact = _same(text, source, target)
    if exact is not None:
        return [Match(exact, 1.0, [(SAME, exact.text)])]
    least = settings(MultilingualSettings).memory_percent / 100
    near = _candidates(text, source, target, user)
    scored = [(similar.likeness(words, similar.even(pair.text)), pair) for pair in near]
    best = sorted((one for one in scored if one[0] >= least), key=lambda one: (-one[0], -one[1].used, one[1].id))
    return [Match(pair, min(score, 0.99), changes(pair.text, text)) for score, pair in best[:limit]]


def exact(texts: Sequence[str], source: str, target: str) -> dict[str, Pair]:
    """The pairs of those texts that are known as they are, of the first thousand. One query."""
    digests = {similar.digest_of(text): text for text in texts if text.strip() and len(text) <= LONGEST}
    if not digests:
        return {}
    query = select(Pair).where(Pair.source == source, Pair.target == target, Pair.digest.in_(list(digests)[:_ASKED]))
    found = {digests[pair.digest]: pair for pair in db.session.scalars(query)}
    # The digest makes case even; a link or an order number in another case is another one.
    return {text: pair for text, pair in found.items() if protect(text).marks == protect(pair.text).marks}


def changes(known: str, text: str) -> list[tuple[str, str]]:
    """What of ``known`` is not in ``text`` and the other way round, word by word."""
    first, second = _PIECE.findall(known), _PIECE.findall(text)
    found: list[tuple[str, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append((SAME, "".join(first[a:b])))
            continue
        found += [(GONE, "".join(first[a:b]))] if b > a else []
        found += [(NEW, "".join(second[c:d]))] if d > c else []
    return found


def find(number: int) -> Pair | None:
    """The pair of that number."""
    return db.session.get(Pair, number)


def listed(
    text: str = "", source: str = "", target: str = "", after: str | None = None, limit: int = 50
) -> tuple[Sequence[Pair], str | None]:
    """The pairs whose words contain ``text``, the newest first, and where the next page begins (None: nowhere)."""
    query = select(Pair).order_by(Pair.confirmed_at.desc(), Pair.id.desc()).limit(limit + 1)
    if source:
        query = query.where(Pair.source == source)
    if target:
        query = query.where(Pair.target == target)
    if text:
        query = query.where(or_(*(part.icontains(text, autoescape=True) for part in (Pair.text, Pair.translation))))
    last = cursors.read(after, int)
    here = db.session.get(Pair, last[0]) if last is not None else None
    if here is not None:
        query = query.where(tuple_(Pair.confirmed_at, Pair.id) < tuple_(here.confirmed_at, here.id))
    rows = db.session.scalars(query).all()
    return rows[:limit], cursors.written(rows[limit - 1].id) if len(rows) > limit else None


# ---- keeping


def confirm(
    text: str, translation: str, source: str, target: str, user: User | None, ticket_id: int | None = None
) -> Pair | None:
    """Keep that a text is translated like that; one of the same text is replaced. None for what is not worth keeping.

    Joins or opens the transaction.
    """
    found = confirm_many([(text, translation)], source, target, user, ticket_id)
    return found[0] if found else None


def confirm_many(
    said: Iterable[tuple[str, str]], source: str, target: str, user: User | None, ticket_id: int | None = None
) -> list[Pair]:
    """:func:`confirm` for many texts with their translations, in as many statements as for one."""
    wanted = {
        similar.digest_of(text): (text.strip(), translation.strip())
        for text, translation in said
        if text.strip() and translation.strip() and max(len(text), len(translation)) <= LONGEST
    }
    if not wanted or languages.same(source, target):
        return []
    with transaction():
        pairs = _found_or_added(wanted, source, target)
        for pair in pairs:
            pair.translation, pair.confirmed_at = wanted[pair.digest][1], now()
            pair.confirmed_by_id, pair.ticket_id = user.id if user is not None else None, ticket_id
        db.session.flush()
    return pairs


def _found_or_added(wanted: Mapping[str, tuple[str, str]], source: str, target: str) -> list[Pair]:
    query = select(Pair).where(Pair.source == source, Pair.target == target, Pair.digest.in_(wanted))
    for last in (False, False, True):
        there = {pair.digest: pair for pair in db.session.scalars(query)}
        new = [
            Pair(source=source, target=target, text=text, digest=digest, translation=translation)
            for digest, (text, translation) in sorted(wanted.items())
            if digest not in there
        ]
        try:
            with db.session.begin_nested():
                db.session.add_all(new)
                db.session.flush()
                _index(new)
        except IntegrityError:
            # Somebody else confirms the same at this moment.
            if last:
                raise
            continue
        return [*there.values(), *new]
    raise AssertionError("The last turn answers or raises.")


def save(pair: Pair, translation: str, actor: User) -> Pair:
    """Change the translation of a pair. Joins or opens the transaction; audited. Raises Invalid and NotAllowed."""
    require(actor, MANAGE)
    translation = translation.strip()
    if not translation:
        raise Invalid("translation", _("Write the translation."))
    if len(translation) > LONGEST:
        raise Invalid("translation", _("This is too long; %(number)s characters fit.", number=LONGEST))
    with transaction():
        pair.translation, pair.confirmed_at, pair.confirmed_by_id = translation, now(), actor.id
        audit("multilingual.pair_changed", actor, f"{pair.source} - {pair.target}")
    return pair


def forget(pair: Pair, actor: User) -> None:
    """Take a pair out. Joins or opens the transaction; audited. Raises NotAllowed."""
    require(actor, MANAGE)
    with transaction():
        audit("multilingual.pair_forgotten", actor, f"{pair.source} - {pair.target}")
        db.session.execute(delete(PairBand).where(PairBand.pair_id == pair.id))
        db.session.delete(pair)


def count_use(numbers: Sequence[int]) -> None:
    """Note that pairs were used. Joins or opens the transaction."""
    if numbers:
        with transaction():
            db.session.execute(update(Pair).where(Pair.id.in_(numbers)).values(used=Pair.used + 1))


def keep_many(rows: Sequence[tuple[str, str, str, str]], actor: User | None) -> tuple[int, int]:
    """Keep (source, target, text, translation) rows that were checked: how many are new, how many changed.

    Joins the open transaction; a query for each thousand or so.
    """
    wanted = {(source, target, similar.digest_of(text)): (text, said) for source, target, text, said in rows}
    there = _there(list(wanted))
    new, changed = [], 0
    for key, (text, said) in wanted.items():
        pair = there.get(key)
        if pair is None:
            new.append(Pair(source=key[0], target=key[1], digest=key[2], text=text, translation=said))
        elif pair.translation != said:
            pair.translation, pair.confirmed_at, changed = said, now(), changed + 1
            pair.confirmed_by_id = actor.id if actor is not None else None
    for pair in new:
        pair.confirmed_by_id = actor.id if actor is not None else None
    db.session.add_all(new)
    db.session.flush()
    _index(new)
    return len(new), changed


def _there(keys: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], Pair]:
    found = {}
    for at in range(0, len(keys), 500):
        digests = {key[2] for key in keys[at : at + 500]}
        for pair in db.session.scalars(select(Pair).where(Pair.digest.in_(digests))):
            found[pair.source, pair.target, pair.digest] = pair
    return found


def _same(text: str, source: str, target: str) -> Pair | None:
    query = select(Pair).where(Pair.source == source, Pair.target == target, Pair.digest == similar.digest_of(text))
    return db.session.scalar(query)


def _candidates(text: str, source: str, target: str, user: User | None) -> Sequence[Pair]:
    """Those that share the most bands. One query."""
    bands = similar.bands_of(text, source, target)
    if not bands:
        return []
    # However many share a band (thousands of the same sentence with other numbers), no more are looked at.
    near = select(PairBand.pair_id).where(PairBand.band.in_(bands)).limit(_CANDIDATES).subquery()
    best = (
        select(near.c.pair_id)
        .group_by(near.c.pair_id)
        .order_by(func.count().desc(), near.c.pair_id)
        .limit(_MEASURED)
        .subquery()
    )
    query = select(Pair).join(best, best.c.pair_id == Pair.id)
    if user is not None:
        seen = visible_tickets(user).with_only_columns(Ticket.id)
        query = query.where(or_(Pair.ticket_id.is_(None), Pair.ticket_id.in_(seen)))
    return db.session.scalars(query).all()


def _index(pairs: Iterable[Pair]) -> None:
    bands = [
        {"band": band, "pair_id": pair.id}
        for pair in pairs
        for band in dict.fromkeys(similar.bands_of(pair.text, pair.source, pair.target))
    ]
    if bands:
        db.session.execute(insert(PairBand), bands)
