"""Quiet hours and last days in a person's zone."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from helpdesk.api import DeskSettings, User, settings
from helpdesk_surveys.models import Invitation, Survey


def out_of_quiet(survey: Survey, person: User, at: datetime) -> datetime:
    """``at`` itself, or the end of the quiet hours that it falls into, by the person's clock (else the desk's)."""
    begin, end = survey.quiet_from, survey.quiet_until
    if begin == end:
        return at
    local = at.astimezone(_zone_of(person))
    is_quiet = begin <= local.hour < end if begin < end else local.hour >= begin or local.hour < end
    if not is_quiet:
        return at
    wakes = local.replace(hour=end, minute=0, second=0, microsecond=0)
    if wakes <= local:
        wakes = (local.replace(tzinfo=None) + timedelta(days=1)).replace(
            hour=end, minute=0, second=0, microsecond=0, tzinfo=local.tzinfo
        )
    return wakes.astimezone(UTC)


def closing_day(invitation: Invitation) -> date | None:
    """The last day on which an invitation can be answered, by the person's clock (else the desk's)."""
    if invitation.closes_at is None:
        return None
    return invitation.closes_at.astimezone(_zone_of(invitation.person)).date()


def _zone_of(person: User | None) -> ZoneInfo:
    return _zone((person.time_zone if person is not None else None) or settings(DeskSettings).time_zone)


@lru_cache(maxsize=600)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
