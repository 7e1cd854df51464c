"""What plugins keep in the database, and how it is taken out for good."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, Table, delete, func, inspect, select
from sqlalchemy import table as any_table

from helpdesk.core import audit, generation, schema
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import (
    HeldFact,
    Job,
    LabelText,
    PluginHealth,
    PluginState,
    Schedule,
    Setting,
    TicketField,
    TicketFieldValue,
    User,
)
from helpdesk.core.models.language import FIELD
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager, manifest
from helpdesk.plugins.manager import Plugin

_VERSIONS = "alembic_version_"


class CannotPurge(Exception):
    """The data of a plugin cannot be taken out now; the text is a sentence."""


@dataclass(frozen=True)
class Kept:
    """Rows of one kind that a plugin has in the database. ``table`` is set when the table is the plugin's own."""

    kind: str
    rows: int
    table: str = ""


def tables(known: set[str] | None = None) -> dict[str, list[str]]:
    """The tables of plugins by the plugin's name, those of plugins that are gone too.

    ``known`` are the names of plugins that are here or have been, where the caller has asked for them already.
    """
    names = inspect(db.engine).get_table_names()
    # What those that are here say of themselves counts more than what names look like.
    claimed = {table: plugin.name for plugin in _here() for table in manifest.tables_of(plugin)}
    gone = {name.removeprefix(_VERSIONS) for name in names if name.startswith(_VERSIONS)}
    owners = gone | (_known() if known is None else known)
    found: dict[str, list[str]] = {name: [] for name in gone}
    for table in sorted(set(names) - core_tables()):
        if table.startswith(_VERSIONS):
            continue
        if (owner := claimed.get(table) or manifest.owner_of(table, owners)) is not None:
            found.setdefault(owner, []).append(table)
    return found


def _known() -> set[str]:
    return set(manager.current().plugins) | set(db.session.scalars(select(PluginState.name)))


def _here() -> list[Plugin]:
    return list(manager.current().plugins.values())


def why_mixed_up(name: str, wanted: Iterable[str]) -> str:
    """A sentence when a plugin of that name and with the tables ``wanted`` could be taken for another, or none."""
    if taken := sorted(one for one in core_tables() if one.startswith(f"{name}_")):
        return f"“{name}” cannot be a plugin's name: the desk has a table {taken[0]}; choose another."
    known = _known()
    others = {other: set[str]() for other in known} | {other: set(found) for other, found in tables(known).items()}
    for plugin in _here():
        others[plugin.name] |= manifest.tables_of(plugin)
    others.pop(name, None)
    return manifest.mix_up(name, wanted, others)


def core_tables() -> set[str]:
    """The tables that are the desk's own: no plugin's name may begin theirs."""
    mapped = {
        str(getattr(mapper.local_table, "name", ""))
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("helpdesk.core.")
    }
    plain = {
        value.name
        for name, module in list(sys.modules.items())
        if name.startswith("helpdesk.core.models.")
        for value in vars(module).values()
        if isinstance(value, Table)
    }
    return mapped | plain | {schema.CORE_VERSION}


def left_behind() -> list[str]:
    """The plugins that are not here any more and have left data."""
    return sorted(generation.cached("plugins:left behind", _left_behind))


def _left_behind() -> list[str]:
    known = _known()
    return list((set(tables(known)) | known) - set(manager.current().plugins))


def kept(name: str) -> list[Kept]:
    """What :func:`purge` would take out, with the numbers of rows."""
    found = [Kept("table", _rows(table), table) for table in tables().get(name, ())]
    groups = _groups(name)
    counts = {
        "settings": select(func.count()).select_from(Setting).where(Setting.group.in_(groups)),
        "fields": select(func.count(TicketField.id)).where(TicketField.plugin == name),
        "values": select(func.count())
        .select_from(TicketFieldValue)
        .where(TicketFieldValue.field_id.in_(_fields(name))),
        "schedules": select(func.count(Schedule.key)).where(Schedule.plugin == name),
        "jobs": select(func.count(Job.id)).where(_is_job_of(name)),
        "facts": select(func.count()).select_from(HeldFact).where(HeldFact.plugin == name),
        "health": select(func.count()).select_from(PluginHealth).where(PluginHealth.plugin == name),
    }
    row = db.session.execute(select(*(query.scalar_subquery() for query in counts.values()))).one()
    return found + [Kept(kind, rows) for kind, rows in zip(counts, row, strict=True) if rows]


def _rows(table: str) -> int:
    return db.session.scalar(select(func.count()).select_from(any_table(table))) or 0


def purge(name: str, actor: User | None) -> list[Kept]:
    """Take out all data of a plugin that is off or gone, for good; answers what was there. Audited.

    Its own way down is gone first, then what is left is dropped. One that is still installed stays off, with empty
    tables. Cut short, it can be done again. Not inside a transaction. Raises :class:`CannotPurge`, NotAllowed.
    """
    require(actor, "plugin.edit")
    manager.check_name(name)
    plugin = manager.current().plugins.get(name)
    if plugin is not None and manager.current().is_on(name):
        raise CannotPurge(_("“%(name)s” is on; switch it off first.", name=name))
    needing = sorted(other.name for other in manager.current().plugins.values() if name in other.needs)
    if needing:
        raise CannotPurge(_("“%(other)s” builds on “%(name)s”; uninstall that first.", other=needing[0], name=name))
    was, groups = kept(name), _groups(name)
    if not was and plugin is None and db.session.get(PluginState, name) is None:
        raise CannotPurge(_("There is no data of a plugin “%(name)s”.", name=name))
    if plugin is not None and plugin.loaded:
        _go_down(name)
    try:
        schema.drop([*tables().get(name, ()), f"{_VERSIONS}{name}"])
    except RuntimeError as error:
        raise CannotPurge(
            _("Data of another plugin points to the data of “%(name)s”; take out that first.", name=name)
        ) from error
    with transaction():
        for statement in (
            delete(Setting).where(Setting.group.in_(groups)),
            delete(LabelText).where(LabelText.kind == FIELD, LabelText.object_id.in_(_fields(name))),
            delete(TicketField).where(TicketField.plugin == name),
            delete(Schedule).where(Schedule.plugin == name),
            delete(Job).where(_is_job_of(name)),
            delete(HeldFact).where(HeldFact.plugin == name),
            delete(PluginHealth).where(PluginHealth.plugin == name),
        ):
            db.session.execute(statement)
        if plugin is None:
            db.session.execute(delete(PluginState).where(PluginState.name == name))
        audit.record("plugin.purged", actor, name, {(one.table or one.kind): one.rows for one in was})
        generation.bump()
    if plugin is not None and plugin.loaded:
        schema.upgrade(name)
    return was


def _go_down(name: str) -> None:
    try:
        schema.downgrade("base", name)
    except Exception:  # noqa: BLE001 - a way down that fails was undone; its tables are dropped instead
        db.session.rollback()


def _fields(name: str) -> Select[int]:
    return select(TicketField.id).where(TicketField.plugin == name)


def _groups(name: str) -> list[str]:
    """The groups of settings that are the plugin's."""
    owners = {name} | _known()
    claimed = {
        str(group.name): plugin.name
        for plugin in _here()
        for group in plugin.contributions.get("register_settings", ())
    }
    return [
        group
        for group in db.session.scalars(select(Setting.group).distinct())
        if (claimed.get(group) or manifest.owner_of(group, owners)) == name
    ]


def _is_job_of(name: str) -> ColumnElement[bool]:
    return Job.name.startswith(f"{name}.", autoescape=True)
