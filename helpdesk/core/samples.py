"""Sample data: a few tickets to try things with, or a whole demo shop. Everything goes through the verbs;
only here rows are dated back afterwards, and nothing is sent (addresses end in ``.invalid``, RFC 2606)."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from helpdesk.core import accounts, files, settings, statuses, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Message, Organization, Team, Ticket, TicketField, User
from helpdesk.core.models.delivery import SENT
from helpdesk.core.models.ticket import CLOSED, SOLVED
from helpdesk.core.settings import DeskSettings
from helpdesk.core.teams import make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.views import TicketFilter, save_view

DATA = Path(__file__).parent / "samples.toml"
PASSWORD = "larkwheel demo"
DOMAIN = "larkwheel.invalid"


@dataclass(frozen=True)
class SignIn:
    """An account of the demo, for whoever tries it."""

    role: str
    name: str
    email: str
    password: str = PASSWORD


def load_few(actor: User) -> int:
    """Six tickets in four languages for a desk that has just been set up; answers how many were made."""
    stories = [story for story in _read()["story"] if story.get("few")]
    return sum(1 for _ticket in _tell(stories, {"me": actor}, {}, now()))


def load_demo() -> list[SignIn]:
    """A demo shop: teams, agents, customers, tickets of the last weeks. Once; answers the sign-ins."""
    data = _read()
    staff = [SignIn(row["role"], row["name"], f"{row['key']}@{DOMAIN}") for row in data["staff"]]
    if accounts.by_email(staff[0].email) is not None:
        return staff
    with transaction():
        settings.save(DeskSettings, {**data["desk"], "set_up": True}, None)
        teams = {row["name"]: make_team(row["name"], None, color=row["color"]) for row in data["team"]}
        people = _hire(data["staff"], teams)
        _add_fields(data["field"])
        for row in data["organization"]:
            db.session.add(Organization(**row))
        db.session.flush()
        save_view("Warranty", TicketFilter(tag=("warranty",)), "-updated", people["sam"], shared_with="everybody")
    for _ticket in _tell(data["story"], people, teams, now()):
        pass
    return staff


def _read() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def _hire(rows: list[dict[str, Any]], teams: dict[str, Team]) -> dict[str, User]:
    people = {}
    for row in rows:
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
        people[row["key"]] = user
    return people


def _add_fields(rows: list[dict[str, Any]]) -> None:
    for place, row in enumerate(rows):
        db.session.add(TicketField(position=place, **row))


def _tell(
    stories: list[dict[str, Any]], people: dict[str, User], teams: dict[str, Team], moment: datetime
) -> Iterator[Ticket]:
    """Each story is one transaction: its ticket, what was said and done, then the dates."""
    for story in sorted(stories, key=lambda story: -story["hours"]):
        with transaction():
            ticket = _open(story, people, teams, moment)
            for step in story.get("then", ()):
                _act(ticket, step, people)
            _date_back(ticket, story, moment)
        yield ticket


def _open(story: dict[str, Any], people: dict[str, User], teams: dict[str, Team], moment: datetime) -> Ticket:
    requester = accounts.requester_for(story["email"], story["from"], story.get("locale"))
    requester.created_at = min(requester.created_at, moment - timedelta(hours=story["hours"]))
    team, agent = teams.get(story.get("team", "")), people.get(story.get("agent", "")) or people.get("me")
    draft = TicketDraft(
        subject=story["subject"],
        requester_id=requester.id,
        text=story["text"],
        files=[
            files.store_bytes(content.encode(), name, "text/plain") for name, content in story.get("files", {}).items()
        ],
        channel=story.get("channel", "email"),
        team_id=team.id if team else None,
        assignee_id=agent.id if agent and story.get("agent") else None,
        priority=story.get("priority", "normal"),
        tags=list(story.get("tags", ())),
        fields=story.get("fields", {}) if teams else {},
        locale=story.get("locale"),
    )
    return workflow.open_ticket(draft, None)


def _act(ticket: Ticket, step: dict[str, Any], people: dict[str, User]) -> None:
    actor = ticket.requester if step["by"] == "customer" else people.get(step["by"]) or people["me"]
    if "text" in step:
        draft = MessageDraft(text=step["text"], status=step.get("status"), channel=step.get("channel", "email"))
        (workflow.note if step.get("note") else workflow.reply)(ticket, draft, actor)
    elif "status" in step:
        workflow.set_status(ticket, statuses.of_category(step["status"]).key, None)
    elif "priority" in step:
        workflow.set_priority(ticket, step["priority"], actor)


def _date_back(ticket: Ticket, story: dict[str, Any], moment: datetime) -> None:
    """Spread what was said and done over the hours since the story began, in its order."""
    db.session.flush()
    begun = moment - timedelta(hours=story["hours"])
    messages = list(db.session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)))
    pause = timedelta(hours=story["hours"] * 0.8 / max(1, len(messages)))
    times: dict[int, datetime] = {}
    for place, message in enumerate(messages):
        times[message.id] = message.created_at = begun + pause * place
    latest = begun
    for event in db.session.scalars(select(Event).where(Event.ticket_id == ticket.id).order_by(Event.id)):
        latest = max(latest, times.get(event.message_id or 0, latest))
        event.created_at = latest
    ticket.created_at, ticket.updated_at, ticket.last_message_at = begun, latest, messages[-1].created_at
    ticket.first_response_at = ticket.first_response_at and next(
        (m.created_at for m in messages if m.author and m.author.is_staff and not m.is_note), None
    )
    ticket.solved_at = latest if ticket.category in (SOLVED, CLOSED) else None
    ticket.closed_at = latest if ticket.category == CLOSED else None
    db.session.execute(update(Delivery).where(Delivery.ticket_id == ticket.id).values(state=SENT, sent_at=latest))


def count() -> int:
    """How many tickets there are."""
    return db.session.scalar(select(func.count(Ticket.id))) or 0
