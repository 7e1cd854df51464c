"""The index of the search made anew, and looked at."""

from datetime import timedelta

from sqlalchemy import func, insert, literal, select, text

from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Job, SearchDue, User
from helpdesk.core.search.index import OWNERS, ROWS, read_some

JOB = "core.search_rebuild"
# A million messages take a while.
TIME_LIMIT = timedelta(hours=6)
# Marked in one step.
_MARKED = 20_000


def ask(actor: User | None = None) -> Job:
    """Ask a worker to make the index anew. Joins or opens the transaction."""
    return ledger.schedule(JOB, key=JOB, asked_by=actor)


def rebuild(work: Work) -> dict[str, int]:
    """Empty the index and read everything, the newest first (a job in steps). The desk goes on meanwhile.

    What is not read yet is not found. After a kill it goes on with what is still marked.
    """
    if work.checkpoint is None:
        with work.step(checkpoint={"kinds": list(OWNERS), "after": 0}):
            empty()
    checkpoint = work.checkpoint or {}
    while kinds := checkpoint["kinds"]:
        checkpoint = _mark_some(work, kinds, checkpoint["after"])
    total = count_due()
    left = total
    while read_some():
        left = count_due()
        with work.step(done=max(total - left, 0), total=total):
            pass
    return {"read": total}


def _mark_some(work: Work, kinds: list[str], after: int) -> dict[str, object]:
    """Mark the next things of the first kind; answer where to go on."""
    owner = OWNERS[kinds[0]]
    some = select(owner.id).where(owner.id > after).order_by(owner.id).limit(_MARKED)
    last = db.session.scalar(select(func.max(some.subquery().c.id)))
    following = {"kinds": kinds, "after": last} if last is not None else {"kinds": kinds[1:], "after": 0}
    with work.step(checkpoint=following):
        if last is not None:
            these = select(literal(kinds[0]), owner.id).where(owner.id > after, owner.id <= last).order_by(owner.id)
            db.session.execute(insert(SearchDue).from_select(["kind", "target_id"], these))
    return following


def empty() -> None:
    """Take everything out of the index. Joins the open transaction.

    The tables of words are made anew: row by row it would take minutes, and one that is damaged is whole again.
    """
    is_postgresql = db.engine.dialect.name == "postgresql"
    for kind, rows in ROWS.items():
        words = f"search_{kind}_words"
        if is_postgresql:
            db.session.execute(text(f"TRUNCATE {words}, search_{kind}"))
            continue
        db.session.execute(text(f"DROP TRIGGER search_{kind}_gone"))
        db.session.execute(text(f"DROP TABLE {words}"))
        db.session.execute(rows.__table__.delete())
        # As migration 0007 has made them.
        db.session.execute(text(f"CREATE VIRTUAL TABLE {words} USING fts5 (words, tokenize = 'ascii', prefix = '2 3')"))
        gone = f"BEGIN DELETE FROM {words} WHERE rowid = OLD.id; END"  # nosec B608 # our own names
        db.session.execute(text(f"CREATE TRIGGER search_{kind}_gone AFTER DELETE ON search_{kind} {gone}"))
    db.session.execute(SearchDue.__table__.delete())  # type: ignore[attr-defined]


def count_due(limit: int = 1_000_000) -> int:
    """How many marks wait to be read, counted up to ``limit``."""
    return db.session.scalar(select(func.count()).select_from(select(SearchDue.id).limit(limit).subquery())) or 0


def problems() -> list[str]:
    """What is wrong with the index, as sentences for owners: more or fewer rows than there should be. Reads only."""
    if count_due():
        return []
    found = []
    for kind, rows in ROWS.items():
        owner = OWNERS[kind]
        wanted = select(func.count(owner.id))
        if owner is User:
            wanted = wanted.where(User.is_service.is_(False))
        missing = (db.session.scalar(wanted) or 0) - (db.session.scalar(select(func.count(rows.id))) or 0)
        words = db.session.scalar(text(f"SELECT count(*) FROM search_{kind}_words")) or 0  # nosec B608 # our own names
        wordless = (db.session.scalar(select(func.count(rows.id))) or 0) - words
        if missing or wordless:
            found.append(f"The search has not read {abs(missing) or abs(wordless)} entries ({kind}).")
    return found
