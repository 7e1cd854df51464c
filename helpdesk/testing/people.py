"""People, teams and tickets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask

    from helpdesk.core.models import Team, Ticket, User


@pytest.fixture
def make_user(app: Flask) -> Callable[..., User]:
    """Make somebody: ``make_user("agent", name=..., email=..., teams=[...], password=..., locale=...)``."""
    from helpdesk.core import accounts
    from helpdesk.core.transaction import transaction

    made = 0

    def make(role: str = "requester", *, name: str = "", email: str = "", **values: Any) -> User:
        nonlocal made
        made += 1
        name = name or f"{role.title()} {made}"
        host = "customer.example" if role == "requester" else "desk.example"
        address = email or f"{name.lower().replace(' ', '.')}.{made}@{host}"
        account = {key: values.pop(key) for key in ("teams", "password", "locale") if key in values}
        with transaction():
            user = accounts.create_user(address, name, role, None, **account)
            for key, value in values.items():
                setattr(user, key, value)
        return user

    return make


@pytest.fixture
def make_team(app: Flask) -> Callable[..., Team]:
    """Make a team: ``make_team("Workshop", members=[...], private=False)``."""
    from helpdesk.core.extensions import db
    from helpdesk.core.models import Team
    from helpdesk.core.transaction import transaction

    def make(name: str = "Workshop", members: list[User] | None = None, **values: Any) -> Team:
        with transaction():
            team = Team(name=name, members=list(members or []), **values)
            db.session.add(team)
        return team

    return make


@pytest.fixture
def make_ticket(app: Flask, make_user: Callable[..., User]) -> Callable[..., Ticket]:
    """Open a ticket as the desk itself: ``make_ticket("Subject", requester=..., team=..., assignee=..., **draft)``."""
    from helpdesk.core import workflow
    from helpdesk.core.drafts import TicketDraft

    def make(
        subject: str = "Rear brake rubs",
        text: str = "The brake rubs on every turn of the wheel.",
        *,
        requester: User | None = None,
        team: Team | None = None,
        assignee: User | None = None,
        actor: User | None = None,
        **draft: Any,
    ) -> Ticket:
        requester = requester or make_user()
        if team is not None:
            draft["team_id"] = team.id
        if assignee is not None:
            draft["assignee_id"] = assignee.id
        return workflow.open_ticket(TicketDraft(subject, requester.id, text, **draft), actor)

    return make
