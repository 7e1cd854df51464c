"""Business hours: which there are, what the next days come to, when working minutes are over."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import click
from sqlalchemy import func, select

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import day_ranges
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Team
from helpdesk.core.working_time import Hours, NoHours, all_hours, hours_of, week

_DAYS = 14
_MOST_MINUTES = 10_000_000
_team = click.option("--team", metavar="NAME", help="The hours of this team (default: the desk's usual ones).")


@click.group("hours")
def hours_command() -> None:
    """See business hours, and ask when working minutes are over."""


@hours_command.command("list")
@json_option
@in_app
def list_hours(as_json: bool) -> None:
    """List business hours, and whether they are open now.

    Example: helpdesk hours list
    """
    usual, moment = hours_of(None), now()
    rows = [
        {"name": one.name, "zone": one.zone, "usual": one.id == usual.id, "open": one.is_open(moment)}
        for one in all_hours().values()
    ]
    print_rows(rows, ("name", "zone", "usual", "open"), as_json, "There are none: the desk counts round the clock.")


@hours_command.command()
@_team
@json_option
@in_app
def show(team: str | None, as_json: bool) -> None:
    """Show what the next two weeks come to.

    Example: helpdesk hours show --team Workshop
    """
    hours = _hours(team)
    today = day_ranges.today_in(hours.zone)
    days = [today + timedelta(days=number) for number in range(_DAYS)]
    rows = [{"day": day.isoformat(), "open": week.shown(hours.spans_on(day)) or "closed"} for day in days]
    print_rows(rows, ("day", "open"), as_json, "")


@hours_command.command()
@click.argument("minutes", type=click.IntRange(0, _MOST_MINUTES))
@click.option("--from", "start", metavar="TIME", help="Since when, such as 2026-11-27T16:30+01:00 (default: now).")
@_team
@json_option
@in_app
def after(minutes: int, start: str | None, team: str | None, as_json: bool) -> None:
    """Say when MINUTES working minutes are over.

    Example: helpdesk hours after 240 --team Workshop
    """
    hours = _hours(team)
    begun = _moment(start, hours) if start else now()
    try:
        end = hours.add_minutes(begun, minutes)
    except NoHours:
        raise Impossible("That does not come within five years: these hours open too seldom.") from None
    row = {"from": begun.isoformat(), "minutes": minutes, "until": end.isoformat(), "zone": hours.zone}
    print_result(row, end.astimezone(ZoneInfo(hours.zone)).isoformat(timespec="minutes"), as_json)


def _hours(team: str | None) -> Hours:
    if team is None:
        return hours_of(None)
    number = db.session.scalar(select(Team.id).where(func.lower(Team.name) == team.strip().lower()))
    if number is None:
        raise Impossible(f"There is no team {team}; 'helpdesk team list' names them.")
    return hours_of(number)


def _moment(text: str, hours: Hours) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Impossible(f"{text} is no time; write it such as 2026-11-27T16:30.") from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(hours.zone))).astimezone(UTC)
