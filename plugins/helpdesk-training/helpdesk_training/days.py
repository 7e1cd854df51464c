"""Days as they are typed in forms, and the moments that they mean in the reader's zone."""

from datetime import UTC, date, datetime, time

from flask_babel import get_timezone

from helpdesk.api import Form
from helpdesk.api import gettext as _


def read_day(form: Form, name: str, *, required: bool = False) -> date | None:
    """A day of a form, into its values; a sentence where it cannot be used."""
    text, found = form.typed.get(name, "").strip(), None
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        form.refuse(name, _("Write a date that there is."))
    if found is not None and not 1970 <= found.year <= 2200:
        form.refuse(name, _("Write a date that there is."))
        found = None
    if required and not text:
        form.refuse(name, _("Fill this in."))
    form.values[name] = found
    return found


def end_of(day: date | None) -> datetime | None:
    """The last second of a day where the reader is."""
    return datetime.combine(day, time(23, 59, 59), get_timezone()).astimezone(UTC) if day is not None else None


def day_of(moment: datetime | None) -> str:
    """The day of a moment where the reader is, as a field of a form wants it."""
    return moment.astimezone(get_timezone()).date().isoformat() if moment is not None else ""
