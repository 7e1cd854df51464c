"""The mail that lists several notices, in the language that is spoken now."""

from collections.abc import Sequence
from itertools import groupby

from flask_babel import gettext as _
from flask_babel import ngettext as _n

from helpdesk.core import links
from helpdesk.core.models import Notification, User
from helpdesk.core.models.notification import KINDS
from helpdesk.core.notifications import reading
from helpdesk.core.notifications.words import group_words, sentence


def written(user: User, ids: Sequence[int], desk: str) -> tuple[str, str]:
    """Subject and text of a mail with these notices, as far as the person may still see their tickets. One query."""
    rows = reading.by_ids(user, ids)
    if not rows:
        return desk, _("What this mail was to tell you of is not there any more.")
    foot = _("You choose what you are told, and how: %(link)s", link=f"{links.address()}/desk/notifications/choices")
    if len(rows) == 1:
        row = rows[0]
        return f"#{row.ticket.number} {row.ticket.subject}", f"{sentence(row)}\n{links.desk_url(row.ticket)}\n\n{foot}"
    subject = _n("%(num)s notice of %(desk)s", "%(num)s notices of %(desk)s", len(rows), desk=desk)
    ordered = sorted(rows, key=lambda row: (KINDS.index(row.kind), row.id))
    parts = [_part(kind, list(group)) for kind, group in groupby(ordered, key=lambda row: row.kind)]
    return subject, "\n\n".join([*parts, foot])


def _part(kind: str, rows: Sequence[Notification]) -> str:
    return "\n\n".join([f"{group_words(kind)} ({len(rows)})", *(_lines(row) for row in rows)])


def _lines(row: Notification) -> str:
    return f"#{row.ticket.number} {row.ticket.subject}\n{sentence(row)}\n{links.desk_url(row.ticket)}"
