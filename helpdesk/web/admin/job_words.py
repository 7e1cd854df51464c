"""Jobs in the reader's words."""

from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.core.jobs import runner
from helpdesk.core.models import job as jobs
from helpdesk.plugins import manager


def title(name: str) -> str:
    """What a job of the desk does; a plugin's is called by its name."""
    titles = {
        "core.deliver": _("Send a message"),
        "core.intake": _("Take in a message"),
        "core.facts": _("Tell plugins what happened"),
        "core.fact": _("Tell a plugin once more"),
        "core.notify": _("Tell the team what happened"),
        "core.notice_mail": _("Send notices by mail"),
        "core.alarms": _("Look after due dates, promises and snoozed tickets"),
        "core.give_out": _("Give out tickets that nobody could take at first"),
        "core.close_silent": _("Close tickets of which customers say nothing"),
        "core.given_up": _("Say what follows from a job that failed"),
        "core.bulk": _("Change many tickets"),
        "core.undo_bulk": _("Undo a change of many tickets"),
        "core.hand_over": _("Hand over somebody's work"),
        "core.remove_files": _("Remove files of a person who was erased"),
        "core.sweep_files": _("Remove files that nothing names"),
        "core.backup": _("Make a backup"),
        "core.verify_backup": _("Verify a backup"),
        "core.verify_audit": _("Verify the record"),
        "core.warn_of_tokens": _("Say which tokens expire soon"),
        "core.send_reset": _("Send a link for a new password"),
        "core.send_registration": _("Send a link for an account"),
        "core.send_draft": _("Send a reply that may be taken back"),
        "core.search_rebuild": _("Make the index of the search anew"),
        "core.tidy": _("Clear away what is long done"),
    }
    return titles.get(name, name)


def states() -> list[tuple[str, str]]:
    """Each state of a job, and what it is called."""
    return [
        (jobs.RUNNING, pgettext("job", "Running")),
        (jobs.WAITING, pgettext("job", "Waiting")),
        (jobs.FAILED, pgettext("job", "Failed")),
        (jobs.DONE, pgettext("job", "Done")),
        (jobs.CANCELLED, pgettext("job", "Cancelled")),
    ]


def priorities() -> dict[int, str]:
    """What a priority is called."""
    return {
        jobs.SOON: pgettext("priority of a job", "Before others"),
        jobs.NORMAL: pgettext("priority of a job", "Ordinary"),
        jobs.LATER: pgettext("priority of a job", "After others"),
    }


def choices(chosen: str) -> list[tuple[str, str]]:
    """What the list can be narrowed down to: the jobs of the desk and of each plugin, and every job by itself."""
    registered = manager.current().contributions("register_jobs", include_off=True)
    names = {*runner.CORE_JOBS, *(found.item.name for found in registered), *([chosen] if "." in chosen else [])}
    owners = {name.partition(".")[0] for name in (*names, *([chosen] if chosen else []))}
    found: list[tuple[str, str]] = []
    for owner in sorted(owners, key=lambda owner: (owner != "core", owner)):
        own = sorted(name for name in names if name.partition(".")[0] == owner)
        whole = _("All of the desk itself") if owner == "core" else _("All of “%(plugin)s”", plugin=owner)
        found += [(owner, whole), *((name, title(name)) for name in own)]
    return found
