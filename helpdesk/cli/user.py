"""People and roles."""

import sys

import click
from sqlalchemy import select

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows, user_named
from helpdesk.core import accounts
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.user import ROLES


@click.group("user")
def user_command() -> None:
    """Add, list and switch off people."""


@user_command.command()
@click.argument("email")
@click.option("--name", default="", help="Name on screen and in mails.")
@click.option("--role", type=click.Choice(ROLES), default="agent", show_default=True)
@click.option("--team", "teams", multiple=True, help="Name of a team; may be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@click.option("--invite", is_flag=True, help="Send a link to choose a password instead of setting one.")
@json_option
@in_app
def add(
    email: str, name: str, role: str, teams: tuple[str, ...], password_stdin: bool, invite: bool, as_json: bool
) -> None:
    """Make a user, or give an existing customer a role.

    Example: helpdesk user add mia@shop.example --name "Mia Sorel" --role agent --team Workshop
    """
    members = [_team(team) for team in teams]
    if invite:
        user = accounts.invite(email, name, role, None, members)
    else:
        password = _password(password_stdin)
        user = accounts.create_user(email, name, role, None, password=password, teams=members)
    print_result(_row(user), f"{user.email} is {user.role} now.", as_json)


@user_command.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only this role.")
@json_option
@in_app
def list_users(role: str | None, as_json: bool) -> None:
    """List people.

    Example: helpdesk user list --role agent
    """
    query = select(User).order_by(User.role, User.name, User.id)
    if role:
        query = query.where(User.role == role)
    rows = (_row(user) for user in db.session.scalars(query))
    print_rows(rows, ("id", "email", "name", "role", "active"), as_json, "There is nobody yet.")


@user_command.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@in_app
def passwd(email: str, password_stdin: bool) -> None:
    """Set a new password; the user's sessions end at once.

    Example: helpdesk user passwd sam@shop.example
    """
    accounts.set_password(user_named(email), _password(password_stdin), None)
    click.echo(f"{email} has a new password.")


@user_command.command()
@click.argument("email")
@click.option("--undo", is_flag=True, help="Switch the account on again.")
@in_app
def disable(email: str, undo: bool) -> None:
    """Switch an account off; its sessions end at once, its tickets stay.

    Example: helpdesk user disable jonas@shop.example
    """
    accounts.set_active(user_named(email), undo, None)
    click.echo(f"{email} is {'on' if undo else 'off'}.")


def _team(name: str) -> Team:
    team = db.session.scalar(select(Team).where(Team.name == name))
    if team is None:
        raise Impossible(f"There is no team “{name}”; 'helpdesk team add' makes one.")
    return team


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _row(user: User) -> dict[str, object]:
    return {"id": user.id, "email": user.email, "name": user.name, "role": user.role, "active": user.active}
