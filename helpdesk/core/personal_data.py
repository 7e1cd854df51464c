"""All that the desk and its plugins keep about a person: handed out as JSON, or erased."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select, update

from helpdesk.core import (
    accounts,
    audit,
    deliveries,
    files,
    people_merging,
    personal_rows,
    plugin_data,
    reply_drafts,
    unused_files,
)
from helpdesk.core.audit import erasing
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.mentions import Mentions, in_json
from helpdesk.core.models import (
    BulkAct,
    BulkItem,
    CannedResponse,
    Delivery,
    HeldFact,
    Intake,
    Job,
    Macro,
    PluginHealth,
    PluginState,
    User,
    View,
)
from helpdesk.core.models.delivery import CANCELLED, WAITING
from helpdesk.core.models.intake import DISCARDED, QUARANTINED, RECEIVED
from helpdesk.core.models.view import MINE
from helpdesk.core.permissions import require
from helpdesk.core.transaction import count_rows, transaction
from helpdesk.core.workflow import erase_traces, traces_of
from helpdesk.plugins import manager
from helpdesk.plugins.manager import PluginError

EXPORT, ERASE = "export_personal_data", "erase_personal_data"
_CHUNK = 200


class NotErased(Exception):
    """Nothing was erased; the text is a sentence that says why."""


@dataclass(frozen=True)
class Erased:
    """What was (or would be) erased, in numbers; ``asked`` are the plugins that erase (or export) their own.

    ``left`` names tables of plugins that are gone, or could not be loaded: nobody knows what stands in them.
    """

    counts: Mapping[str, int]
    asked: list[str] = field(default_factory=list)
    left: Mapping[str, list[str]] = field(default_factory=dict)


def export(user: User, actor: User | None) -> dict[str, Any]:
    """All that is kept about a person, as JSON: the desk's own, and what each plugin answers, off or on.

    ``merged`` has the same of each record that went into the person's.
    ``failed`` names the plugins that did not answer, ``not_asked`` the tables of those that are not there. Outside
    any transaction; then audited in one. Raises NotAllowed.
    """
    require(actor, "user.edit")
    found: dict[str, Any] = {"exported_at": now().isoformat(timespec="seconds"), **personal_rows.rows_of(user)}
    found["plugins"], found["failed"] = _of_plugins(user)
    found["merged"] = []
    for record in people_merging.records_of(user):
        answers, failed = _of_plugins(record)
        found["merged"].append({**personal_rows.rows_of(record), "plugins": answers})
        found["failed"] = sorted({*found["failed"], *failed})
    found["not_asked"] = _not_asked()
    with transaction():
        audit.record("user.exported", actor, user.email or f"#{user.id}")
    return found


def _of_plugins(user: User) -> tuple[dict[str, Any], list[str]]:
    plugins, answers, failed = manager.current(), {}, []
    before = {name: _errors(plugin) for name, plugin in plugins.plugins.items()}
    for found in plugins.each(EXPORT, include_off=True, user=user):
        if _errors(plugins.plugins[found.plugin]) > before[found.plugin] or not _is_json(found.item):
            failed.append(found.plugin)
        elif found.item:
            answers[found.plugin] = found.item
    return answers, failed


def _errors(plugin: manager.Plugin) -> int:
    health = plugin.health.get(EXPORT)
    return health.errors if health is not None else 0


def _is_json(item: Any) -> bool:
    try:
        json.dumps(item)
    except (TypeError, ValueError):
        return False
    return item is None or isinstance(item, Mapping)


def _not_asked() -> dict[str, list[str]]:
    loaded = {name for name, plugin in manager.current().plugins.items() if plugin.loaded}
    return {name: tables for name, tables in sorted(plugin_data.tables().items()) if tables and name not in loaded}


def preview(user: User, actor: User | None) -> Erased:
    """What :func:`erase` would do. Reads only. Raises NotAllowed, and AccountError when it cannot be done."""
    require(actor, "user.edit")
    accounts.check_erasable(user, actor)
    counts: Counter[str] = Counter()
    for record in (user, *people_merging.records_of(user)):
        counts.update(_counts(record))
    return Erased(dict(counts), _asked(), _not_asked())


def _counts(user: User) -> dict[str, int]:
    traces = traces_of(user)
    return {
        "tickets": traces.tickets,
        "messages": len(traces.messages),
        "attachments": traces.attachments,
        "incoming": _count(Intake.id, personal_rows.came_from(user)),
        "deliveries": _count(Delivery.id, personal_rows.sent_to(user)),
    }


def erase(user: User, actor: User | None) -> Erased:
    """Erase a person, in one transaction: the account is anonymous and shut, their words and files are gone.

    Records that were merged into the person's go with it. Each plugin that is loaded, off or on, is asked first, while
    the account still says who it is. Raises :class:`NotErased` when one of them fails, AccountError (oneself, the last
    administrator, staff whose account is on, a merged record) and NotAllowed; nothing is erased then. Files on disk are
    removed by a job after the commit. Audited.
    """
    require(actor, "user.edit")
    not_asked = _not_asked()
    nothing = files.store_bytes(b"", "raw", "application/octet-stream").sha256
    with transaction():
        db.session.refresh(user, with_for_update={"of": User})
        found = preview(user, actor)
        records = people_merging.records_of(user)
        for record in (*records, user):
            _ask_plugins(record)
        others = tuple((record.email, record.name) for record in records)
        with speaking(None):
            # The person's own first: what is written on the tickets may say any of the names.
            _erase(user, actor, nothing, found.counts, others)
            for record in records:
                _erase(record, actor, nothing, _counts(record))
            people_merging.forget_merges([user, *records])
    return Erased(found.counts, found.asked, not_asked)


def _ask_plugins(user: User) -> None:
    try:
        manager.current().require_each(ERASE, user=user)
    except PluginError as error:
        raise NotErased(_("Nothing was erased. %(error)s", error=str(error))) from error


def _asked() -> list[str]:
    plugins = manager.current().plugins.values()
    return sorted(plugin.name for plugin in plugins if plugin.loaded and hasattr(plugin.module, ERASE))


def _erase(
    user: User,
    actor: User | None,
    nothing: str,
    counts: Mapping[str, int],
    others: tuple[tuple[str | None, str], ...] = (),
) -> None:
    instead = _("Erased person %(number)s", number=user.id)
    mentions = Mentions(user.email, user.name, instead)
    raw = _erase_incoming(user, nothing)
    traces = erase_traces(user, actor, instead, others)
    unused_files.remove_later([*raw, *traces.files, *_erase_deliveries(user)])
    if user.email:
        _erase_from_jobs(user.email, mentions)
        _erase_from_plugin_states(user.email, mentions)
    erasing.erase(user, actor, mentions, dict(counts))
    reply_drafts.erase(user)
    kinds: tuple[Any, ...] = (CannedResponse, Macro, View)
    for kind in kinds:
        db.session.execute(delete(kind).where(kind.owner_id == user.id, kind.shared_with == MINE))
        db.session.execute(update(kind).where(kind.owner_id == user.id).values(owner_id=None))
    acts = select(BulkAct.id).where(BulkAct.actor_id == user.id)
    db.session.execute(delete(BulkItem).where(BulkItem.act_id.in_(acts)))
    db.session.execute(delete(BulkAct).where(BulkAct.actor_id == user.id))
    accounts.make_anonymous(user, instead)
    db.session.flush()


def _erase_incoming(user: User, nothing: str) -> list[str]:
    """Blank the incoming items; answer the hashes of their raw bytes. The rows stay: a mailbox may still have them."""
    rows = list(db.session.scalars(select(Intake).where(personal_rows.came_from(user))))
    hashes = [row.sha256 for row in rows if row.sha256 != nothing]
    for row in rows:
        row.sender = row.subject = row.reason = ""
        row.sha256, row.size = nothing, 0
        if row.state in (RECEIVED, QUARANTINED):
            row.state, row.done_at = DISCARDED, now()
    db.session.flush()
    return hashes


def _erase_deliveries(user: User) -> list[str]:
    """Blank them; answer the hashes of the files of letters."""
    mine = personal_rows.sent_to(user)
    letters = db.session.scalars(select(Delivery).where(mine, Delivery.kind == deliveries.LETTER))
    hashes = [file.sha256 for letter in letters for file in deliveries.files_of(letter)]
    waiting = update(Delivery).where(mine, Delivery.state == WAITING)
    count_rows(waiting.values(state=CANCELLED).execution_options(synchronize_session="fetch"))
    blank = update(Delivery).where(mine).values(address="", data={}, error="")
    count_rows(blank.execution_options(synchronize_session="fetch"))
    return hashes


def _erase_from_jobs(address: str, mentions: Mentions) -> None:
    """What a server said when something failed often names the address; what a plugin's job is to do may, too."""
    named = or_(
        *(in_json(column, address) for column in (Job.args, Job.checkpoint, Job.result)),
        *(column.icontains(address, autoescape=True) for column in (Job.error, Job.key)),
    )
    query, last = select(Job).where(named).order_by(Job.id).limit(_CHUNK).with_for_update(of=Job), 0
    while rows := list(db.session.scalars(query.where(Job.id > last))):
        for job in rows:
            for column in ("args", "checkpoint", "result"):
                setattr(job, column, mentions.without_address(getattr(job, column)))
            job.error = "" if mentions.has_address(job.error) else job.error
            job.key = None if mentions.has_address(job.key or "") else job.key
        last = rows[-1].id
        db.session.flush()


def _erase_from_plugin_states(address: str, mentions: Mentions) -> None:
    for health in db.session.scalars(
        select(PluginHealth).where(PluginHealth.error.icontains(address, autoescape=True))
    ):
        health.error = "" if mentions.has_address(health.error) else health.error
    for fact in db.session.scalars(select(HeldFact).where(HeldFact.error.icontains(address, autoescape=True))):
        fact.error = mentions.without_address(fact.error)
    # One row for each plugin.
    for state in db.session.scalars(select(PluginState)):
        state.error = "" if mentions.has_address(state.error) else state.error
        state.migration_error = "" if mentions.has_address(state.migration_error) else state.migration_error
        # It is shown for as long as the plugin rests.
        state.paused_reason = mentions.without_address(state.paused_reason)
    db.session.flush()


def _count(column: Any, criterion: Any) -> int:
    return db.session.scalar(select(func.count(column)).where(criterion)) or 0
