"""Teams."""

import click
from sqlalchemy import func, select

from helpdesk.cli.frame import in_app, json_option, print_result, print_rows, user_named
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket
from helpdesk.core.models.team import COLORS
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.teams import make_team


@click.group("team")
def team_command() -> None:
    """Add and list teams."""


@team_command.command()
@click.argument("name")
@click.option("--member", "members", multiple=True, metavar="EMAIL", help="Somebody of the staff; may be repeated.")
@click.option("--color", type=click.Choice(COLORS), help="Its colour in lists (default: the next one in the row).")
@click.option("--private", is_flag=True, help="Only members, supervisors and administrators see its tickets.")
@json_option
@in_app
def add(name: str, members: tuple[str, ...], color: str | None, private: bool, as_json: bool) -> None:
    """Make a team.

    Example: helpdesk team add Workshop --member jonas@shop.example
    """
    people = [user_named(email) for email in members]
    team = make_team(name, None, color=color or "", private=private, members=people)
    row = {"id": team.id, "name": team.name, "color": team.color, "private": team.private, "members": list(members)}
    print_result(row, f"The team {team.name} has {len(people)} members.", as_json)


@team_command.command("list")
@json_option
@in_app
def list_teams(as_json: bool) -> None:
    """List teams, with how many tickets wait in each.

    Example: helpdesk team list
    """
    waiting = (
        select(func.count(Ticket.id))
        .where(Ticket.team_id == Team.id, Ticket.category.in_(UNSOLVED))
        .correlate(Team)
        .scalar_subquery()
    )
    rows = (
        {
            "id": team.id,
            "name": team.name,
            "active": team.active,
            "private": team.private,
            "members": ", ".join(member.display_name for member in team.members),
            "unsolved": unsolved,
        }
        for team, unsolved in db.session.execute(select(Team, waiting).order_by(func.lower(Team.name), Team.id))
    )
    columns = ("id", "name", "active", "private", "members", "unsolved")
    print_rows(rows, columns, as_json, "There is no team yet; 'helpdesk team add' makes one.")
