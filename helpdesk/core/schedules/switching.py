"""What people do with schedules: let them rest, let them go on, run them now."""

from flask_babel import gettext as _

from helpdesk.core import audit
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Job, Schedule, User
from helpdesk.core.permissions import require
from helpdesk.core.schedules.rows import UnknownSchedule, contributed, find, rests
from helpdesk.core.schedules.rules import next_due
from helpdesk.core.transaction import transaction


class PluginOff(UnknownSchedule):
    """The plugin of a schedule is off; the text is a sentence."""


def switch(key: str, on: bool, actor: User | None) -> bool:
    """Let a schedule rest, or go on from now; False when it does already. Joins or opens the transaction; audited.

    Raises :class:`UnknownSchedule` and NotAllowed.
    """
    require(actor, "job.edit")
    find(key)
    with transaction():
        row = db.session.get_one(Schedule, key, with_for_update=True)
        if row.enabled == on:
            return False
        row.enabled = on
        if on:
            row.next_due_at = next_due(row.rule, row.zone, now())
        audit.record("schedule.switched_on" if on else "schedule.switched_off", actor, key)
    return True


def run_now(key: str, actor: User | None) -> Job:
    """Ask for the job of a schedule at once; when it is due next does not change. Joins or opens; audited.

    Raises :class:`UnknownSchedule`, :class:`PluginOff` and NotAllowed.
    """
    require(actor, "job.edit")
    row = find(key)
    if rests(row):
        raise PluginOff(_("The plugin “%(name)s” is off; switch it on first.", name=row.plugin))
    found = contributed()[key]
    with transaction():
        job = ledger.schedule(found.job, asked_by=actor, **found.args)
        audit.record("schedule.run", actor, key)
    return job
