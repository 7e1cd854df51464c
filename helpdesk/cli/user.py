"""People and roles."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import select

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows, user_named
from helpdesk.core import accounts, handover, personal_data, second_factors, sign_in_sessions, user_agents
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.user import ROLES

# One of what goes with a person, and several.
_ERASED = {
    "tickets": ("ticket of theirs", "tickets of theirs"),
    "messages": ("message that they wrote", "messages that they wrote"),
    "attachments": ("file that they sent", "files that they sent"),
    "incoming": ("mail as it came in", "mails as they came in"),
    "deliveries": ("mail that was sent to them", "mails that were sent to them"),
}


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


@user_command.command("handover")
@click.argument("email")
@click.option("--to", "person", help="Address of the colleague who takes over.")
@click.option("--team", help="Name of the team that takes over.")
@click.option("--dry-run", is_flag=True, help="Only say what it is.")
@json_option
@in_app
def hand_over(email: str, person: str | None, team: str | None, dry_run: bool, as_json: bool) -> None:
    """Give somebody's unsolved tickets, promises, drafts and shared things to a colleague or a team.

    Example: helpdesk user handover jonas@shop.example --to mia@shop.example
    """
    user = user_named(email)
    found = handover.holdings(user)
    told = f"{found.tickets} tickets, {found.promises} promises, {found.drafts} drafts, {found.shared} shared things"
    if dry_run:
        print_result(asdict(found), f"{email} has {told}.", as_json)
        return
    to = handover.Receiver(user_named(person) if person else None, _team(team) if team else None)
    job = handover.hand_over(user, to, None)
    words = f"{told} go to {to.name}: job {job.id}." if job is not None else f"{told} went to {to.name}."
    print_result({**asdict(found), "job": job.id if job is not None else None}, words, as_json)


@user_command.command()
@click.argument("email")
@json_option
@in_app
def sessions(email: str, as_json: bool) -> None:
    """List where somebody is signed in.

    Example: helpdesk user sessions mia@shop.example
    """
    rows = (
        {
            "number": session.id,
            "browser": user_agents.name_of(session.agent),
            "address": session.address,
            "since": session.created_at.isoformat(timespec="seconds"),
            "seen": session.seen_at.isoformat(timespec="seconds"),
        }
        for session in sign_in_sessions.of(user_named(email))
    )
    columns = ("number", "browser", "address", "since", "seen")
    print_rows(rows, columns, as_json, f"{email} is signed in nowhere.")


@user_command.command("sign-out")
@click.argument("email")
@in_app
def sign_out(email: str) -> None:
    """Sign somebody out of every browser.

    Example: helpdesk user sign-out mia@shop.example
    """
    ended = accounts.end_sessions(user_named(email), None)
    click.echo(f"{email} is signed out of {ended} {'browser' if ended == 1 else 'browsers'}.")


@user_command.command("reset-second-factor")
@click.argument("email")
@in_app
def reset_second_factor(email: str) -> None:
    """Take away a second step that is lost: phone and recovery codes are gone.

    The password alone lets them in then, and they are told by mail. Where the role needs a second step, they set up
    a new one at once.

    Example: helpdesk user reset-second-factor sam@shop.example
    """
    if not second_factors.reset(user_named(email), None):
        raise Impossible(f"{email} has no second step.")
    click.echo(f"{email} signs in by the password alone now.")


@user_command.command()
@click.argument("email")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@in_app
def export(email: str, file: Path | None) -> None:
    """Print all that is kept about a person as JSON, or write it to a new FILE that only you can read.

    The desk's own tables and what each plugin answers, off or on. Somebody without an address is named #NUMBER.

    Example: helpdesk user export tom@post.example tom.json
    """
    found = personal_data.export(_person(email), None)
    text = json.dumps(found, ensure_ascii=False, indent=2)
    if file is None:
        click.echo(text)
    else:
        _write_new(file, f"{text}\n")
        click.echo(f"{file} holds all that is kept about {email}.")
    for name in found["failed"]:
        click.echo(f"The plugin {name} did not say what it keeps; 'helpdesk plugin info {name}' shows why.", err=True)
    _tell_not_asked(found["not_asked"])
    if found["failed"]:
        sys.exit(1)


@user_command.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@in_app
def erase(email: str, yes: bool, as_json: bool) -> None:
    """Erase a person for good: the account becomes anonymous, their messages and files go.

    Shows what will happen and asks to type the address. What members of staff wrote to others stays. Somebody
    without an address is named #NUMBER.

    Example: helpdesk user erase tom@post.example
    """
    person = _person(email)
    if not yes:
        _ask(email, personal_data.preview(person, None))
    erased = personal_data.erase(person, None)
    row = {"number": person.id, "erased": dict(erased.counts), "plugins": erased.asked, "left": dict(erased.left)}
    print_result(row, f"{email} is erased; what is left is called “{person.name}”.", as_json)
    _tell_not_asked(erased.left)


def _ask(email: str, found: personal_data.Erased) -> None:
    click.echo(f"{email} will be erased for good, with:", err=True)
    for what, count in found.counts.items():
        if count:
            click.echo(f"  {count} {_ERASED[what][count != 1]}", err=True)
    if found.asked:
        click.echo(f"  and what these plugins keep: {', '.join(found.asked)}", err=True)
    _tell_not_asked(found.left)
    if click.prompt("Type the address to go on", default="", show_default=False, err=True).strip() != email:
        raise Impossible("That is not the address; nothing was erased.")


def _tell_not_asked(tables: Mapping[str, list[str]]) -> None:
    for name, found in tables.items():
        click.echo(
            f"The plugin {name} is not here and could not be asked; look yourself into {', '.join(found)}.", err=True
        )


def _write_new(file: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise Impossible(f"{file} is there already; name a new file.") from error
    except OSError as error:
        raise Impossible(f"{file} cannot be written: {error.strerror}.") from error


def _person(name: str) -> User:
    number = name.removeprefix("#")
    if name.startswith("#") and number.isascii() and number.isdigit() and len(number) < 19:
        found = db.session.get(User, int(number))
        if found is not None:
            return found
    return user_named(name)


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
