"""A bicycle shop for `helpdesk demo`: teams, agents, customers, and the tickets of the last weeks."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from helpdesk.core import accounts, settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter
from helpdesk.core.models import Organization, Team, TicketField, User
from helpdesk.core.samples.story import Line, Picture, Story
from helpdesk.core.samples.telling import hush, tell
from helpdesk.core.settings import DeskSettings
from helpdesk.core.teams import make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.views import save_view

DATA = Path(__file__).parent / "shop.toml"
PASSWORD = "larkwheel demo"
# RFC 2606: nobody can ever be there, and nothing is sent there (core/channels/outbox.py).
DOMAIN = "larkwheel.invalid"


@dataclass(frozen=True)
class SignIn:
    """An account of the demo, for whoever tries it."""

    role: str
    name: str
    email: str
    password: str = PASSWORD


def load_demo() -> list[SignIn]:
    """Fill an empty desk with a shop; a desk that has it is left alone. Answers the sign-ins.

    One transaction for the house, then one for each ticket.
    """
    data: dict[str, Any] = tomllib.loads(DATA.read_text(encoding="utf-8"))
    staff = [SignIn(row["role"], row["name"], f"{row['key']}@{DOMAIN}") for row in data["staff"]]
    if accounts.account_of(staff[0].email) is not None:
        return staff
    with transaction():
        settings.save(DeskSettings, {**data["desk"], "set_up": True}, None)
        for row in data["organization"]:
            db.session.add(Organization(**row))
        for place, row in enumerate(data["field"]):
            db.session.add(TicketField(position=place, **row))
        teams = {row["name"]: make_team(row["name"], None, color=row["color"]) for row in data["team"]}
        cast = {row["key"]: _hire(row, teams) for row in data["staff"]}
        for row in data["view"]:
            save_view(row["name"], _filter(row, teams), "-updated", cast["sam"], shared_with="everybody")
    moment = now()
    for row in sorted(data["story"], key=lambda row: -row["hours"]):
        tell(_story(row), cast, teams.get(row.get("team", "")), moment)
    hush()
    return staff


def has_demo() -> bool:
    """Whether this home holds the demo shop."""
    return db.session.scalar(select(User.id).where(User.email.endswith(f"@{DOMAIN}")).limit(1)) is not None


def _filter(row: dict[str, Any], teams: dict[str, Team]) -> TicketFilter:
    team = (str(teams[row["team"]].id),) if "team" in row else ()
    return TicketFilter(category=tuple(row.get("category", ())), tag=tuple(row.get("tag", ())), team=team)


def _hire(row: dict[str, Any], teams: dict[str, Team]) -> User:
    user = accounts.create_user(
        f"{row['key']}@{DOMAIN}",
        row["name"],
        row["role"],
        None,
        password=PASSWORD,
        teams=[teams[name] for name in row.get("teams", ())],
        locale=row.get("locale"),
    )
    user.signature = row.get("signature", "")
    return user


def _story(row: dict[str, Any]) -> Story:
    """A row of the file as a story; what happens in it is spread over the hours since it began."""
    steps = row.get("then", ())
    pause = row["hours"] * 0.7 / max(1, len(steps))
    lines = [
        Line(step["by"], pause, step.get("text", ""), note=step.get("note", False), status=step.get("status"))
        for step in steps
    ]
    return Story(
        days=row["hours"] / 24,
        name=row["from"],
        email=row["email"],
        subject=row["subject"],
        text=row["text"],
        locale=row.get("locale", "en"),
        team=row.get("team"),
        assignee=row.get("agent"),
        taken_after=row["hours"] * 0.1,
        priority=row.get("priority", "normal"),
        tags=tuple(row.get("tags", ())),
        channel=row.get("channel", "email"),
        fields=row.get("fields", {}),
        files=tuple(Picture(name) for name in row.get("pictures", ())),
        lines=tuple(lines),
        followers=tuple(row.get("followers", ())),
    )
