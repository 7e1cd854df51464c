"""The rows of schedules: made and changed so that they say what the desk and the plugins ask for."""

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Schedule
from helpdesk.core.schedules import own
from helpdesk.core.schedules.rules import next_due, rule_of
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Schedule as Contributed


class UnknownSchedule(Exception):
    """Neither the desk nor a plugin that is installed has such a schedule; the text is a sentence."""


def contributed() -> dict[str, Contributed]:
    """What the desk itself and all plugins that are loaded ask for, by name; off or on."""
    found = manager.current().contributions("register_schedules", include_off=True)
    return {item.name: item for item in own.listed()} | {entry.item.name: entry.item for entry in found}


def rests(row: Schedule) -> bool:
    """Whether a schedule is passed over since its plugin is off."""
    return row.plugin != own.OWNER and not manager.current().is_on(row.plugin)


def sync() -> bool:
    """Make and change the rows so that they say what is asked for. Opens a transaction only when they do not.

    A new rule, or another time zone, counts from now. The rows of plugins that are gone stay.
    """
    wanted = contributed()
    rows = {row.key: row for row in db.session.scalars(select(Schedule).where(Schedule.key.in_(wanted)))}
    changed = [found for key, found in wanted.items() if key not in rows or not _says(rows[key], found)]
    if changed:
        with transaction():
            for found in changed:
                _write(found)
    return True


def _says(row: Schedule, found: Contributed) -> bool:
    return (row.rule, row.zone, row.catch_up) == (rule_of(found), _zone_of(found), found.catch_up)


def _write(found: Contributed) -> None:
    rule, zone = rule_of(found), _zone_of(found)
    due = next_due(rule, zone, now())
    row = db.session.get(Schedule, found.name, with_for_update=True)
    if row is None:
        plugin = found.name.partition(".")[0]
        new = Schedule(key=found.name, plugin=plugin, rule=rule, zone=zone, catch_up=found.catch_up, next_due_at=due)
        row = add_or_find(new, lambda: db.session.get(Schedule, found.name))
    row.catch_up = found.catch_up
    # Another process may have written the same a moment ago.
    if (row.rule, row.zone) != (rule, zone):
        row.rule, row.zone, row.next_due_at = rule, zone, due


def _zone_of(found: Contributed) -> str:
    """The zone that it counts in: its own, or the desk's."""
    return found.zone or settings.get(DeskSettings).time_zone


def listed() -> list[Schedule]:
    """The schedules of the desk and of the plugins that are installed, by name; :func:`sync` makes them. One query."""
    wanted = contributed()
    if not wanted:
        return []
    return list(db.session.scalars(select(Schedule).where(Schedule.key.in_(wanted)).order_by(Schedule.key)))


def find(key: str) -> Schedule:
    """The schedule of that name. Raises :class:`UnknownSchedule`."""
    sync()
    found = next((row for row in listed() if row.key == key), None)
    if found is None:
        raise UnknownSchedule(_("There is no schedule “%(name)s”.", name=key))
    return found
