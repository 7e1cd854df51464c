"""What customers are worth: revenue, recency and frequency of orders, counted anew where orders change.

Sums stand per currency and are never added up over them. Each part is said in fifths of all records of the subject
and currency that have bought something: 5 is the best fifth. With fewer than five records there is nothing to compare.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Integer, case, cast, delete, func, insert, select, update

from helpdesk.api import Work, db, now, schedule, settings, transaction
from helpdesk_customers.models import COUNTED, SUBJECTS, Order, Record, Worth, WorthBound
from helpdesk_customers.segments import count_all
from helpdesk_customers.settings import CustomerSettings
from helpdesk_customers.subjects import key_of

RECENCY, FREQUENCY, MONETARY = "recency", "frequency", "monetary"
PARTS = (RECENCY, FREQUENCY, MONETARY)
FEWEST = 5
RECOUNT = "customers.recount"
# Under this key stands for how many days everything was counted.
_DAYS = ("days", "", "days")
# People and organizations of one statement; records of one step.
_ROWS, _STEP = 500, 5_000
_Bounds = Mapping[tuple[str, str], Sequence[int]]
_DIRECT: Mapping[str, Any] = {"synchronize_session": False}


@dataclass(frozen=True)
class Part:
    """One part of a value: what it was counted from, and its fifth (0: nothing to compare with)."""

    name: str
    fifth: int
    counted: int | datetime | None


def window_start(moment: datetime | None = None) -> datetime:
    """From when on orders count for revenue and frequency."""
    return (moment or now()) - timedelta(days=settings(CustomerSettings).value_days)


def parts_of(worth: Worth) -> list[Part]:
    """The parts of a value, for the page that shows how it comes about."""
    return [
        Part(RECENCY, worth.recency, worth.last_at),
        Part(FREQUENCY, worth.frequency, worth.orders),
        Part(MONETARY, worth.monetary, worth.revenue),
    ]


def recount(subject: str, records: Mapping[int, int]) -> None:
    """Count the worth of people or organizations anew; ``records``: the numbers of their records by theirs.

    Inside the transaction. Three statements for 500 of them. Nobody else's rows are touched; fifths are by the bounds
    that were counted last.
    """
    if not records:
        return
    bounds, begin = _bounds(subject), window_start()
    ids = sorted(records)
    for start in range(0, len(ids), _ROWS):
        part = ids[start : start + _ROWS]
        mine = [records[number] for number in part]
        # Two that count the same records at once come one after the other: the second sees the orders of the first.
        db.session.execute(select(Record.id).where(Record.id.in_(mine)).order_by(Record.id).with_for_update())
        db.session.execute(delete(Worth).where(Worth.record_id.in_(mine)).execution_options(**_DIRECT))
        db.session.execute(_counted(subject, part, begin, bounds), execution_options=_DIRECT)
    _expire()


def recount_due(limit: int = _ROWS) -> int:
    """Count anew where an order has left the days that count; how many records. Opens a transaction."""
    moment = now()
    query = select(Worth.record_id).where(Worth.oldest_at < window_start(moment)).distinct().limit(limit)
    with transaction():
        numbers = db.session.scalars(query).all()
        recount_records(numbers)
    return len(numbers)


def recount_records(record_ids: Iterable[int]) -> None:
    """Count the worth of these records anew. Inside the transaction."""
    rows = db.session.execute(
        select(Record.id, Record.user_id, Record.organization_id).where(Record.id.in_(list(record_ids)))
    ).all()
    people = {owner: number for number, owner, _firm in rows if owner is not None}
    firms = {firm: number for number, _owner, firm in rows if firm is not None}
    for subject, records in zip(SUBJECTS, (people, firms), strict=True):
        recount(subject, records)


def batches(last: int = 0) -> Iterator[Sequence[int]]:
    """The numbers of all records behind one, as many at a time as are counted together. One query for each."""
    every = select(Record.id).order_by(Record.id).limit(_ROWS)
    while numbers := db.session.scalars(every.where(Record.id > last)).all():
        yield numbers
        last = numbers[-1]


def rank() -> int:
    """Find out where the fifths begin, and in which of them everybody is; how many rows. Opens transactions."""
    done = 0
    for subject, currency in _groups():
        with transaction():
            _keep_bounds(subject, currency)
        for first, last in _ranges():
            with transaction():
                done += _place(subject, currency, first, last)
    return done


def nightly(work: Work) -> None:
    """The job of the night: what has left the days that count, where the fifths begin, members of segments.

    After an owner has changed the number of days, everything is counted anew by a job of its own.
    """
    done = 0
    if not _days_are_counted():
        with transaction():
            schedule(RECOUNT, key=RECOUNT)
    while (found := recount_due()) > 0:
        done += found
        work.heed()
    ranked = rank()
    work.heed()
    counted = count_all()
    with work.last_step(result={"recounted": done, "ranked": ranked, "segments": counted}):
        pass


def recount_all(work: Work) -> None:
    """The job that counts everything anew, in steps: after the number of days was changed, say."""
    at = work.checkpoint or {"last": 0, "done": 0, "days": settings(CustomerSettings).value_days}
    last, done, days = at["last"], at["done"], at["days"]
    total = db.session.scalar(select(func.count(Record.id))) or 0
    for numbers in batches(last):
        last, done = numbers[-1], done + len(numbers)
        with work.step(checkpoint={"last": last, "done": done, "days": days}, done=done, total=total):
            recount_records(numbers)
    ranked = rank()
    with work.last_step(result={"recounted": done, "ranked": ranked}):
        # Those of the beginning: when they were changed meanwhile, the next night counts once more.
        _keep_days(days)


def _days_are_counted() -> bool:
    row = db.session.get(WorthBound, _DAYS)
    return row is not None and row.most == [settings(CustomerSettings).value_days]


def _keep_days(days: int) -> None:
    row = db.session.get(WorthBound, _DAYS)
    if row is None:
        subject, currency, part = _DAYS
        row = WorthBound(subject=subject, currency=currency, part=part)
        db.session.add(row)
    row.most, row.counted_at = [days], now()


# ---- counting


def _counted(subject: str, ids: Sequence[int], begin: datetime, bounds: _Bounds) -> Any:
    """A statement that writes what the orders of these people or organizations come to, with its fifths."""
    owner, inside = key_of(subject, Order), Order.placed_at >= begin
    sums = (
        select(
            owner.label("owner"),
            Order.currency,
            _whole(func.sum(case((inside, Order.amount), else_=0))).label("revenue"),
            func.count(case((inside, Order.id))).label("orders"),
            func.min(case((inside, Order.placed_at))).label("oldest_at"),
            _whole(func.sum(Order.amount)).label("revenue_ever"),
            func.count(Order.id).label("orders_ever"),
            func.min(Order.placed_at).label("first_at"),
            func.max(Order.placed_at).label("last_at"),
        )
        .where(owner.in_(ids), Order.state.in_(COUNTED))
        .group_by(owner, Order.currency)
        .subquery()
    )
    counted = {RECENCY: _seconds_of(sums.c.last_at), FREQUENCY: sums.c.orders, MONETARY: sums.c.revenue}
    fifths = {part: _fifth_in(sums.c.currency, counted[part], part, bounds) for part in PARTS}
    values = {"record_id": Record.id, **{key: column for key, column in sums.c.items() if key != "owner"}, **fifths}
    values["score"] = sum(fifths.values(), start=cast(0, Integer))
    rows = select(*values.values()).join_from(sums, Record, key_of(subject) == sums.c.owner)
    return insert(Worth).from_select(list(values), rows)


def _fifth_in(currency: Any, number: Any, part: str, bounds: _Bounds) -> Any:
    """The fifth of a number by the bounds of its currency."""
    known = {key: most for key, most in bounds.items() if key[1] == part and most}
    if not known:
        return cast(0, Integer)
    return case(*((currency == key[0], _fifth_of(number, most)) for key, most in sorted(known.items())), else_=0)


def _whole(total: Any) -> Any:
    """PostgreSQL adds whole numbers up to decimals."""
    return cast(func.coalesce(total, 0), BigInteger)


def _expire() -> None:
    for held in list(db.session.identity_map.values()):
        if isinstance(held, Record) and "worths" in held.__dict__:
            db.session.expire(held, ["worths"])


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment is not None else 0


def _bounds(subject: str) -> _Bounds:
    rows = db.session.scalars(select(WorthBound).where(WorthBound.subject == subject))
    return {(row.currency, row.part): row.most for row in rows}


# ---- fifths


def _groups() -> Sequence[tuple[str, str]]:
    """Subjects and currencies in which something was ever bought."""
    found = []
    for subject in SUBJECTS:
        query = select(Worth.currency).join(Record).where(key_of(subject).is_not(None)).distinct()
        found += [(subject, currency) for currency in db.session.scalars(query.order_by(Worth.currency))]
    return found


def _keep_bounds(subject: str, currency: str) -> None:
    mine = (Worth.currency == currency, key_of(subject).is_not(None))
    number = db.session.scalar(select(func.count()).select_from(Worth).join(Record).where(*mine)) or 0
    for part, column in ((RECENCY, Worth.last_at), (FREQUENCY, Worth.orders), (MONETARY, Worth.revenue)):
        most: list[int] = []
        if number >= FEWEST:
            ordered = select(column).join(Record).where(*mine).order_by(column)
            # The largest of the first, second, third and fourth fifth.
            places = [-(-number * share // 5) - 1 for share in range(1, 5)]
            values: list[Any] = [db.session.scalar(ordered.offset(place).limit(1)) for place in places]
            most = [_seconds(value) if part == RECENCY else int(value) for value in values]
        row = db.session.get(WorthBound, (subject, currency, part))
        if row is None:
            row = WorthBound(subject=subject, currency=currency, part=part)
            db.session.add(row)
        row.most, row.counted_at = most, now()


def _place(subject: str, currency: str, first: int, last: int) -> int:
    """Write the fifths of a range of records in one statement."""
    bounds = _bounds(subject)
    numbers = {FREQUENCY: Worth.orders, MONETARY: Worth.revenue, RECENCY: _seconds_of(Worth.last_at)}
    fifths = {part: _fifth_of(numbers[part], bounds.get((currency, part), ())) for part in PARTS}
    mine = select(Record.id).where(Record.id.between(first, last), key_of(subject).is_not(None))
    statement = (
        update(Worth)
        .where(Worth.currency == currency, Worth.record_id.in_(mine))
        .values(**fifths, score=sum(fifths.values(), start=cast(0, Integer)))
        .execution_options(**_DIRECT)
    )
    return int(db.session.connection().execute(statement).rowcount)


def _fifth_of(number: Any, most: Sequence[int]) -> Any:
    if not most:
        return cast(0, Integer)
    return sum((case((number > bound, 1), else_=0) for bound in most), start=cast(1, Integer))


def _seconds_of(column: Any) -> Any:
    if db.engine.dialect.name == "postgresql":
        return cast(func.floor(func.extract("epoch", column)), BigInteger)
    return cast(func.strftime("%s", column), BigInteger)


def _ranges() -> Iterator[tuple[int, int]]:
    last = db.session.scalar(select(func.max(Record.id))) or 0
    for first in range(1, last + 1, _STEP):
        yield first, first + _STEP - 1
