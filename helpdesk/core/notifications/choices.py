"""How each person wants to be told, and when a mail may come."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import i18n, settings
from helpdesk.core.account_errors import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.models import NotificationChoice, User
from helpdesk.core.models.notification import ANSWERED, AT_ONCE, DIGEST, KINDS, MAIL_CHOICES, NEVER, TOLD
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = timedelta(days=1)
_HASTE = (NEVER, DIGEST, AT_ONCE)


@dataclass(frozen=True)
class Choice:
    """The ways in which one is told: on the page, by the browser, by mail (NEVER, AT_ONCE, DIGEST)."""

    page: bool = False
    browser: bool = False
    mail: str = NEVER

    @property
    def is_any(self) -> bool:
        """Whether one is told at all."""
        return self.page or self.browser or self.mail != NEVER

    def joined(self, other: "Choice") -> "Choice":
        """What is wanted by either; of the two mails the one that comes sooner."""
        mail = max(self.mail, other.mail, key=_HASTE.index)
        return Choice(self.page or other.page, self.browser or other.browser, mail)


Choices = Mapping[str, Choice]


def defaults() -> Choices:
    """What the desk does for those who have chosen nothing: page and browser; of answers by mail if the owner wants,
    and of what plugins tell, such as a call that is due now, in any case.
    """
    by_mail = {ANSWERED: AT_ONCE if settings.get(DeskSettings).tell_staff else NEVER, TOLD: AT_ONCE}
    return {kind: Choice(True, True, by_mail.get(kind, NEVER)) for kind in KINDS}


def choices_of(user_ids: Collection[int]) -> Mapping[int, Choices]:
    """What each of these people wants, kind by kind. One query."""
    found = {user_id: dict(defaults()) for user_id in user_ids}
    query = select(NotificationChoice).where(NotificationChoice.user_id.in_(user_ids))
    for row in db.session.scalars(query):
        found[row.user_id][row.kind] = Choice(row.page, row.browser, row.mail)
    return found


def set_choices(user: User, choices: Choices, *, quiet_from: str, quiet_until: str, digest_at: str) -> None:
    """Keep what a person wants; a kind that is as the desk does it keeps no row. Joins or opens the transaction.

    Times are "HH:MM" in the person's zone; both of the quiet hours empty: none. Raises :class:`AccountError` naming
    the field that cannot be used; nothing is stored then.
    """
    for field, text in (("quiet_from", quiet_from), ("quiet_until", quiet_until), ("digest_at", digest_at)):
        if text and not _TIME.fullmatch(text):
            raise AccountError(field, _("Write a time like 20:30."))
    if not digest_at:
        raise AccountError("digest_at", _("Write a time like 20:30."))
    if bool(quiet_from) != bool(quiet_until):
        missing = "quiet_until" if quiet_from else "quiet_from"
        raise AccountError(missing, _("Quiet hours need a beginning and an end; leave both empty for none."))
    if quiet_from and quiet_from == quiet_until:
        raise AccountError("quiet_until", _("Quiet hours end at another time than they begin."))
    if any(choice.mail not in MAIL_CHOICES for choice in choices.values()):
        raise AccountError("mail", _("Choose one of the list."))
    with transaction():
        usual = defaults()
        rows = {
            row.kind: row
            for row in db.session.scalars(
                select(NotificationChoice).where(NotificationChoice.user_id == user.id).with_for_update()
            )
        }
        for kind in KINDS:
            wanted = choices.get(kind, usual[kind])
            row = rows.get(kind)
            if row is None and wanted == usual[kind]:
                continue
            if row is None:
                row = NotificationChoice(user_id=user.id, kind=kind)
                db.session.add(row)
            row.page, row.browser, row.mail = wanted.page, wanted.browser, wanted.mail
        user.quiet_from, user.quiet_until = quiet_from or None, quiet_until or None
        user.digest_at = digest_at


def joined(choices: Choices, kinds: Iterable[str]) -> Choice:
    """What is wanted by any of these kinds."""
    found = Choice()
    for kind in kinds:
        found = found.joined(choices[kind])
    return found


# ---- when a mail may come


def mail_moment(user: User, mail: str, moment: datetime) -> datetime | None:
    """When a mail of what happened at ``moment`` goes out: now, after the quiet hours, with the digest, or never."""
    if mail == NEVER:
        return None
    return _next(user.digest_at, moment, zone_of(user)) if mail == DIGEST else quiet_end(user, moment)


def quiet_end(user: User, moment: datetime) -> datetime:
    """The end of the person's quiet hours if ``moment`` is in them (they may go over midnight), else ``moment``."""
    begins, ends = user.quiet_from, user.quiet_until
    if not begins or not ends:
        return moment
    local = moment.astimezone(zone_of(user)).strftime("%H:%M")
    is_quiet = begins <= local < ends if begins < ends else local >= begins or local < ends
    return _next(ends, moment, zone_of(user)) if is_quiet else moment


def zone_of(user: User) -> ZoneInfo:
    """The zone that a person lives in, or the desk."""
    name = user.time_zone if user.time_zone and i18n.is_zone(user.time_zone) else i18n.default_zone()
    return ZoneInfo(name)


def _next(at: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after ``moment`` at which it is ``at`` o'clock there."""
    day, clock = moment.astimezone(zone).date(), time.fromisoformat(at)
    found = datetime.combine(day, clock, zone).astimezone(UTC)
    while found <= moment:
        day += _DAY
        found = datetime.combine(day, clock, zone).astimezone(UTC)
    return found
