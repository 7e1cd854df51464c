"""Taking in what another program has kept: item by item, each in a savepoint, so many in one transaction."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from flask_babel import gettext as _

from helpdesk.core import audit
from helpdesk.core.accounts import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import Busy, transaction
from helpdesk.core.workflow.errors import WorkflowError
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Importer, Reject

log = logging.getLogger(__name__)

BATCH = 100
SHOWN = 20
# What a source may do wrong while it reads or takes: it may even ask Python to exit.
_ANYTHING = (Exception, SystemExit)
_SENTENCES = (WorkflowError, AccountError, NotAllowed)


class UnknownSource(Exception):
    """No plugin that is on takes in such a source; the text is a sentence."""


@dataclass
class Imported:
    """What became of the items: counts by the source's own words, and those that could not be taken.

    ``bad`` holds the first of them, number and sentence each; ``stopped`` says why what came after item number
    ``read`` could not be read.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    stopped: str = ""
    read: int = 0


class _DryRun(Exception):
    """Undoes a batch."""


def sources() -> list[Importer]:
    """What the plugins that are on can take in, by name."""
    found = manager.current().contributions("register_importers")
    return sorted((entry.item for entry in found), key=lambda source: source.name)


def source_named(name: str) -> Importer:
    """The source of that name. Raises :class:`UnknownSource`, with those that there are."""
    found = {source.name: source for source in sources()}
    if name in found:
        return found[name]
    if not found:
        raise UnknownSource(_("There is no source “%(name)s”: no plugin that is on takes anything in.", name=name))
    raise UnknownSource(_("There is no source “%(name)s”; there are: %(names)s.", name=name, names=", ".join(found)))


def take_in(source: Importer, file: BinaryIO, dry_run: bool = False) -> Imported:
    """Read ``file`` and take each item; audited. Transactions of its own, one for 100 items; nothing is read in them.

    An item that cannot be taken undoes itself alone. Killed in the middle, whole batches stay; taking the same file
    again goes on where it was, because the same item is never stored twice. With ``dry_run`` all is undone; an item
    that comes twice in the file may then count as new twice.
    """
    result = Imported()
    reading, first = _items(source, file, result), 1
    while batch := list(islice(reading, BATCH)):
        _take_batch(source, batch, first, result, dry_run)
        first += len(batch)
    if not dry_run:
        with transaction():
            audit.record("desk.imported", None, source.name, {**result.counts, "failed": result.failed})
    return result


def _items(source: Importer, file: BinaryIO, result: Imported) -> Iterator[Any]:
    try:
        for item in source.read(file):
            result.read += 1
            yield item
    except _ANYTHING as error:  # what was read is kept
        log.warning("The source %s could not read on after item %s.", source.name, result.read, exc_info=error)
        result.stopped = _sentence(error)


def _take_batch(source: Importer, batch: list[Any], first: int, result: Imported, dry_run: bool) -> None:
    # Counted when the batch is committed, not before.
    part = Imported()
    try:
        with transaction():
            for number, item in enumerate(batch, first):
                _take(source, item, number, part)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    result.counts += part.counts
    result.failed += part.failed
    result.bad += part.bad[: SHOWN - len(result.bad)]


def _take(source: Importer, item: Any, number: int, part: Imported) -> None:
    try:
        with db.session.begin_nested():
            word = source.take(item)
            if not isinstance(word, str) or not word.strip():
                raise TypeError(f"take must answer a word for what it did, not {word!r}")
            db.session.flush()
    except Busy:
        raise
    except _ANYTHING as error:  # the next one goes on
        part.failed += 1
        part.bad.append((number, _sentence(error)))
    else:
        part.counts[word] += 1


def _sentence(error: BaseException) -> str:
    if isinstance(error, Reject):
        return error.reason
    text = " ".join(str(error).split())[:500]
    return text if isinstance(error, _SENTENCES) else f"{type(error).__name__}: {text}"
