"""The memory as a CSV file: source, target, text, translation."""

from collections.abc import Iterator, Mapping

from sqlalchemy import select

from helpdesk.api import User, audit, db, require, transaction
from helpdesk.api import gettext as _
from helpdesk_multilingual import exchange, languages, memory
from helpdesk_multilingual.exchange import Outcome
from helpdesk_multilingual.models import Pair
from helpdesk_multilingual.permissions import MANAGE

COLUMNS = ("source", "target", "text", "translation")
_STEP = 1_000


def rows() -> Iterator[str]:
    """Every pair as a line of CSV, read a thousand at a time."""
    return exchange.lines(COLUMNS, _pairs())


def read(data: bytes, actor: User | None) -> Outcome:
    """Keep the pairs of a file; the same text is changed. Joins or opens transactions, a thousand lines each; audited.

    ``actor``: None is the command line. Raises ValueError for a file that cannot be used, and NotAllowed.
    """
    if actor is not None:
        require(actor, MANAGE)
    outcome, gathered = Outcome(), []
    for line, row in exchange.read(data, COLUMNS):
        if (wrong := _wrong(row)) is not None:
            outcome.skip(line, wrong)
            continue
        source, target = languages.tidy(row["source"]) or "", languages.tidy(row["target"]) or ""
        gathered.append((source, target, row["text"].strip(), row["translation"].strip()))
        if len(gathered) >= _STEP:
            _keep(gathered, actor, outcome)
            gathered = []
    _keep(gathered, actor, outcome)
    with transaction():
        audit("multilingual.memory_imported", actor, "", {"added": outcome.added, "changed": outcome.changed})
    return outcome


def _keep(gathered: list[tuple[str, str, str, str]], actor: User | None, outcome: Outcome) -> None:
    if gathered:
        with transaction():
            added, changed = memory.keep_many(gathered, actor)
        outcome.added += added
        outcome.changed += changed


def _wrong(row: Mapping[str, str]) -> str | None:
    for name in ("source", "target"):
        if languages.tidy(row[name]) is None:
            return _("“%(name)s” is no language.", name=row[name][:40])
    if languages.same(languages.tidy(row["source"]), languages.tidy(row["target"])):
        return _("Both languages are the same.")
    for name in ("text", "translation"):
        if not row[name].strip():
            return _("A text and its translation are needed.")
        if len(row[name]) > memory.LONGEST:
            return _("This is too long; %(number)s characters fit.", number=memory.LONGEST)
    return None


def _pairs() -> Iterator[tuple[str, str, str, str]]:
    last = 0
    while True:
        query = select(Pair.id, Pair.source, Pair.target, Pair.text, Pair.translation).where(Pair.id > last)
        found = db.session.execute(query.order_by(Pair.id).limit(_STEP)).all()
        for last, source, target, text, said in found:  # noqa: B007 # the last one is where the next step begins
            yield source, target, text, said
        if len(found) < _STEP:
            return
