"""Anything coming in: the raw bytes are kept first, then acted on; a bad item holds up nobody."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from helpdesk.core import accounts, files
from helpdesk.core.channels.items import Outcome, finish, outcome_of, settle
from helpdesk.core.channels.steps import Steps, Write, alone, together
from helpdesk.core.channels.taking import Arrival, take
from helpdesk.core.clock import now
from helpdesk.core.drafts import IncomingFile, IntakeDraft, StoredFile
from helpdesk.core.events.reasons import ACCEPTED
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Intake
from helpdesk.core.models.intake import DISCARDED, IGNORED, QUARANTINED, RECEIVED
from helpdesk.core.transaction import Busy, CannotWrite, add_or_find, disk_sentence, transaction
from helpdesk.core.workflow import Invalid, Refused
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, Reject

JOB = "core.intake"
# Looks for what a process that took in many left undone, so long after it has kept them.
LEFT_JOB, _LEFT = "core.intake_left", timedelta(minutes=2)
# A channel that is off is looked for so often; when its plugin is switched on, the item is woken.
_CHANNEL_OFF = timedelta(minutes=15)
# Kept raw up to this; larger ones are refused before they are read (the channel says so to its sender).
MAX_SIZE = 35 * 1024 * 1024


class TooLarge(Exception):
    """The raw item is over :data:`MAX_SIZE`; nothing was kept."""

    def __init__(self) -> None:
        super().__init__(_("The message is larger than 35 MB and was not taken in."))


def store(channel: str, raw: bytes, transport_id: str | None = None, account: str = "") -> Intake:
    """Keep a raw item: bytes on disk, then its row. Opens a transaction of its own; asks a worker to act on it.

    ``account`` is which of the channel's accounts took it in. The same bytes, or the same place on the transport, are
    kept once. Raises :class:`TooLarge`.
    """
    if len(raw) > MAX_SIZE:
        raise TooLarge
    kept = files.store_bytes(raw, "raw", "application/octet-stream")
    place = transport_id or f"sha256:{kept.sha256}"
    with transaction():
        query = select(Intake).where(
            Intake.channel == channel, (Intake.transport_id == place) | (Intake.sha256 == kept.sha256)
        )
        if (existing := db.session.scalar(query)) is not None:
            return existing
        new = _row(channel, place, account, kept)
        if (item := add_or_find(new, lambda: db.session.scalar(query))) is not new:
            return item
        _ask_worker(item)
    return item


def _row(channel: str, place: str, account: str, kept: StoredFile) -> Intake:
    return Intake(channel=channel, transport_id=place, account=account, sha256=kept.sha256, size=kept.size)


def _ask_worker(item: Intake, at: datetime | None = None) -> None:
    ledger.schedule(JOB, at=at, key=f"intake:{item.id}", intake_id=item.id)


def receive(channel: str, raw: bytes, transport_id: str | None = None, account: str = "") -> Outcome:
    """:func:`store` and :func:`process` at once (the command line, tests).

    It waits where the desk cannot act on it just now: it is kept, and a worker does it later.
    """
    return _process_now(store(channel, raw, transport_id, account).id, raw)


def receive_many(channel: str, raws: Sequence[bytes], account: str = "") -> list[Outcome]:
    """:func:`receive` for many items at once, in their order: kept with one commit, written with one or two more.

    None may be over :data:`MAX_SIZE`, and together they should be few enough to be held in memory with all that is in
    them. What cannot be written together goes alone.
    """
    try:
        numbers = _store_many(channel, raws, account)
    except IntegrityError:
        # Somebody else keeps the same at this moment.
        return [receive(channel, raw, account=account) for raw in raws]
    ended = together({number: _way(number, raw) for number, raw in zip(numbers, raws, strict=True)})
    outcomes = [ended.get(number) or _process_now(number) for number in numbers]
    _leave([outcome.intake_id for outcome in outcomes if outcome.outcome == "waiting"])
    return outcomes


def _leave(intake_ids: list[int]) -> None:
    """Leave it to workers at once. Where the desk cannot write this either, the job asked for before does it."""
    if intake_ids:
        with suppress(Busy, OperationalError), transaction():
            act_on_left(intake_ids)


def _store_many(channel: str, raws: Sequence[bytes], account: str) -> list[int]:
    """Keep raw items; should this process end before it has acted on them, a worker does. A transaction of its own."""
    kept = files.store_many([IncomingFile("raw", "application/octet-stream", raw) for raw in raws])
    with transaction():
        digests = [file.sha256 for file in kept]
        query = select(Intake.sha256, Intake.id).where(Intake.channel == channel, Intake.sha256.in_(digests))
        found = {digest: number for digest, number in db.session.execute(query)}
        missing = [file for file in kept if file.sha256 not in found]
        new = {file.sha256: _row(channel, f"sha256:{file.sha256}", account, file) for file in missing}
        db.session.add_all(new.values())
        db.session.flush()
        found |= {digest: item.id for digest, item in new.items()}
        if new:
            ledger.schedule(LEFT_JOB, at=now() + _LEFT, intake_ids=[item.id for item in new.values()])
    return [found[file.sha256] for file in kept]


def act_on_left(intake_ids: list[int]) -> None:
    """Ask workers to act on those of these items that nobody has acted on. A job; joins the open transaction."""
    left = select(Intake).where(Intake.id.in_(intake_ids), Intake.state == RECEIVED)
    for item in db.session.scalars(left).all():
        _ask_worker(item)


def _process_now(intake_id: int, raw: bytes | None = None) -> Outcome:
    try:
        return alone(intake_id, _way(intake_id, raw))
    except (Busy, OperationalError):
        db.session.rollback()
        current_app.logger.warning("Incoming item %s waits.", intake_id, exc_info=True)
        return Outcome(intake_id, "waiting", _("It is kept. The desk could not act on it now and tries again."))


def act(intake_id: int, work: Work) -> None:
    """:func:`process` as a job, outside transactions. Raises :class:`NotYet` while the channel is off."""
    outcome = process(intake_id)
    if outcome.outcome == "waiting":
        raise ledger.NotYet(outcome.reason, after=_CHANNEL_OFF, counts=False)


def given_up(intake_id: int, reason: str) -> None:
    """The job was given up (the item may be what ends its workers): into quarantine, where people look.

    Joins the open transaction.
    """
    with transaction():
        item = db.session.get(Intake, intake_id, with_for_update=True)
        if item is not None and item.state == RECEIVED:
            finish(item, QUARANTINED, "quarantined", reason)


def process(intake_id: int) -> Outcome:
    """Act on a kept item: parse, ask the plugins, thread, write. Once; later calls tell what became of it.

    Ticket or message, events, deliveries and the item's own state are one transaction. Anything that goes
    wrong with it puts the item into quarantine with its reason; the queue behind it moves on.

    Raises :class:`Busy`, :class:`CannotWrite` and OperationalError: what is wrong with the desk leaves it as it is, so
    that it is tried again.
    """
    return alone(intake_id, _way(intake_id))


def _way(intake_id: int, raw: bytes | None = None) -> Steps:
    """``raw`` are the bytes that are kept, for somebody who has them in memory."""
    item = db.session.get(Intake, intake_id)
    if item is None or item.state != RECEIVED:
        return outcome_of(item, intake_id)
    channel: Channel | None = manager.current().find("register_channels", item.channel)
    if channel is None or channel.parse is None:
        return Outcome(item.id, "waiting", _("The channel “%(name)s” is off; it waits.", name=item.channel))
    arrival: Arrival | None = None
    try:
        draft: IntakeDraft = channel.parse(files.path_of(item.sha256).read_bytes() if raw is None else raw)
        arrival = Arrival(item, draft, accepted=item.reason == ACCEPTED)
        return (yield from take(arrival))
    except Reject as rejection:
        end = (IGNORED, rejection.reason)
    except (Invalid, Refused, accounts.AccountError) as error:
        end = (QUARANTINED, str(error))
    except (Busy, OperationalError):
        raise
    except Exception as error:  # noqa: BLE001 - kept, shown and retried by a click; others go on
        if sentence := disk_sentence(error):
            raise CannotWrite(sentence) from error
        current_app.logger.exception("Incoming item %s could not be used.", intake_id)
        end = (QUARANTINED, f"{type(error).__name__}: {error}"[:500])
    return (yield Write(partial(settle, item, *end, arrival.draft if arrival is not None else None)))


def retry(item: Intake) -> Outcome:
    """Try a quarantined item again."""
    return _again(item, (QUARANTINED, DISCARDED, IGNORED), "")


def accept(item: Intake) -> Outcome:
    """Take a quarantined item in though its sender is not proved, or somebody's rule held it.

    Without proof it gives nobody rights: what bears the address of one of ours becomes a note, nobody is answered,
    nobody follows. Transactions of its own.
    """
    return _again(item, (QUARANTINED,), ACCEPTED)


def _again(item: Intake, states: tuple[str, ...], reason: str) -> Outcome:
    with transaction():
        db.session.refresh(item, with_for_update={"of": Intake})
        if item.state in states:
            item.state, item.outcome, item.reason = RECEIVED, None, reason
            # Should this process die on the way, or the channel be off, a worker finds the item; not at once, or two
            # would act on it side by side.
            _ask_worker(item, now() + _LEFT)
    outcome = _process_now(item.id)
    _leave([item.id] if outcome.outcome == "waiting" else [])
    return outcome


def discard(item: Intake) -> None:
    """A person decided that a quarantined item is not wanted; the raw bytes stay. Opens a transaction."""
    with transaction():
        if item.state == QUARANTINED:
            item.state, item.done_at = DISCARDED, now()
