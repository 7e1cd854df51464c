"""What other plugins may ask for and hear, and what is known about a person."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from helpdesk_callbacks.api import schedule_callback
from helpdesk_callbacks.models import REACHED, Attempt, Call, Feed
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.personal import erase_personal_data, export_personal_data

from helpdesk.api import Event, Invalid, Ticket, User, ask, db, hookimpl, transaction


@pytest.fixture
def heard() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def desk_plugins(desk_plugins: dict[str, Any], heard: list[tuple[str, int]]) -> dict[str, Any]:
    """This plugin, and one that listens to it."""

    def listens(name: str) -> Any:
        def hear(call_id: int) -> None:
            heard.append((name, call_id))

        return hookimpl(optionalhook=True)(hear)

    facts = ("booked", "due", "done", "missed")
    return {**desk_plugins, "probe": SimpleNamespace(**{f"callbacks_{name}": listens(name) for name in facts})}


def test_another_plugin_schedules_a_call_and_hears_of_it(
    ticket: Ticket, agent: User, tomorrow: datetime, run_jobs: Any, travel: Any, heard: list[tuple[str, int]]
) -> None:
    """By the api module or by asking (callbacks_schedule): callbacks_booked, _due, _missed and _done, each once."""
    number = schedule_callback(ticket, tomorrow, phone="030 1234", reason="The offer", agent_id=agent.id)
    wanted = {"phone": "030 1234", "reason": "", "agent_id": None, "team_id": None}
    later = (tomorrow + timedelta(hours=1)).isoformat()
    other = ask("callbacks_schedule", ticket_id=ticket.id, start=later, **wanted)
    assert ask("callbacks_schedule", ticket_id=999, start=later, **wanted) is None
    # Taken, or without a number: no failure of the plugin, so that whoever asks may try another time.
    taken = {**wanted, "agent_id": agent.id}
    assert ask("callbacks_schedule", ticket_id=ticket.id, start=tomorrow.isoformat(), **taken) is None
    call = db.session.get(Call, number)
    assert call is not None and (call.source, call.reason, call.created_by_id) == ("plugin", "The offer", None)
    with pytest.raises(Invalid):
        schedule_callback(ticket, tomorrow, phone="030 1234", agent_id=agent.id)
    travel(to=tomorrow + timedelta(seconds=1))
    run_jobs()
    record_outcome(call, REACHED, "", agent)
    travel(to=tomorrow + timedelta(hours=2))
    run_jobs()
    assert sorted(heard) == sorted(
        [("booked", number), ("booked", other), ("due", number), ("due", other), ("done", number), ("missed", other)]
    )


@pytest.mark.db
def test_what_is_known_about_a_person_goes_with_them(
    promise: Callable[..., Call], agent: User, anna: User, ticket: Ticket, tomorrow: datetime
) -> None:
    """export_personal_data hands it out, erase_personal_data leaves nothing; of staff the calls stay without them."""
    call = promise(reason="The operation")
    record_outcome(call, REACHED, "Told me of the operation", agent, next_step="Send flowers")
    with transaction():
        db.session.add(Feed(agent_id=agent.id, digest="x" * 64))
    found = export_personal_data(anna)
    assert found["calls"][0]["phone"] == "+49 30 1234567" and found["calls"][0]["reason"] == "The operation"
    assert found["calls"][0]["tries"][0]["note"] == "Told me of the operation"
    assert export_personal_data(agent)["made"][0]["outcome"] == REACHED and export_personal_data(agent)["calendar"]
    with transaction():
        erase_personal_data(agent)
    db.session.refresh(call)
    assert (call.agent_id, call.created_by_id) == (None, None)
    assert db.session.scalar(db.select(Attempt.agent_id)) is None and db.session.get(Feed, agent.id) is None
    assert export_personal_data(agent) == {}
    with transaction():
        erase_personal_data(anna)
    assert export_personal_data(anna) == {}
    assert db.session.scalar(db.select(db.func.count(Attempt.id))) == 0
    texts = db.session.scalars(db.select(Event.data).where(Event.ticket_id == ticket.id)).all()
    assert not any("operation" in str(data) for data in texts)
