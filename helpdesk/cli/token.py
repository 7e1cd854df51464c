"""helpdesk token: tokens by which programs act."""

from datetime import timedelta

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows, user_named
from helpdesk.core import api_tokens
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import ApiToken, User


@click.group("token")
def token_command() -> None:
    """Tokens by which programs act.

    Example: helpdesk token list
    """


@token_command.command("list")
@json_option
@in_app
def list_tokens(as_json: bool) -> None:
    """List the tokens that were not revoked; never the secrets, which nobody has.

    Example: helpdesk token list
    """
    query = select(ApiToken).where(ApiToken.revoked_at.is_(None)).options(joinedload(ApiToken.user))
    rows = (_row(token) for token in db.session.scalars(query.order_by(ApiToken.id)))
    columns = ("id", "of", "name", "prefix", "scopes", "expires_at", "used_at", "used_from")
    print_rows(rows, columns, as_json, "There are no tokens.")


@token_command.command("make")
@click.argument("program")
@click.option("--name", default="command line", help="What the token is called.")
@click.option("--scope", "scopes", multiple=True, required=True, help="A permission that it gets; once for each.")
@click.option("--days", type=click.IntRange(1, 365), default=90, help="How long it is good for (default: 90).")
@json_option
@in_app
def make_token(program: str, name: str, scopes: tuple[str, ...], days: int, as_json: bool) -> None:
    """Make a token for the account of a program, by its name, and print it, once.

    Example: helpdesk token make Shop --scope ticket.read --scope ticket.open
    """
    found = db.session.scalars(select(User).where(User.is_service, User.name == program).limit(2)).all()
    if len(found) != 1:
        raise Impossible(f"There is no one program called {program}; the administration's page Programs shows them.")
    try:
        made = api_tokens.make(found[0], name, scopes, now() + timedelta(days=days), None)
    except api_tokens.TokenError as error:
        raise Impossible(str(error)) from error
    print_result({"id": made.row.id, "token": made.secret}, made.secret, as_json)


@token_command.command("revoke")
@click.argument("numbers", nargs=-1, type=int)
@click.option("--of", "email", default="", metavar="EMAIL", help="All tokens of this person.")
@in_app
def revoke_tokens(numbers: tuple[int, ...], email: str) -> None:
    """End tokens at once, by their numbers or all of a person's.

    Example: helpdesk token revoke 3
    """
    if bool(numbers) == bool(email):
        raise Impossible("Name tokens by their numbers, or a person with --of; 'helpdesk token list' shows both.")
    which = ApiToken.id.in_(numbers) if numbers else ApiToken.user_id == user_named(email).id
    found = db.session.scalars(select(ApiToken).where(which, ApiToken.revoked_at.is_(None))).all()
    if missing := set(numbers) - {token.id for token in found}:
        raise Impossible(f"There is no token {min(missing)}; 'helpdesk token list' shows those there are.")
    for token in found:
        api_tokens.revoke(token, None)
    click.echo(f"{len(found)} revoked.")


def _row(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "of": token.user.email or token.user.name,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": ", ".join(token.scopes),
        "expires_at": token.expires_at,
        "used_at": token.used_at,
        "used_from": token.used_from,
    }
