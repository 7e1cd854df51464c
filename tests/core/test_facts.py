"""Facts: handed to each plugin after the commit, once, in order, and again when a plugin failed."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import plugin_states, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events import dispatch
from helpdesk.core.events.record import FACTS, record
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Job, PluginState, Tag, Team, Ticket
from helpdesk.core.transaction import transaction


@pytest.fixture
def listen(plug: Any, run_jobs: Any) -> Any:
    """Add a plugin that the desk has met already, so that it hears what happens from now on."""

    def add(name: str, **hooks: Any) -> Any:
        plugin = plug(name, **hooks)
        with transaction():
            newest = db.session.scalar(select(db.func.max(Event.id))) or 0
            db.session.merge(PluginState(name=name, cursor=newest))
        return plugin

    return add


@pytest.mark.db
def test_each_fact_comes_once_and_in_order(
    listen: Any, make_ticket: Any, make_user: Any, make_team: Any, run_jobs: Any
) -> None:
    heard: list[tuple[str, Any]] = []

    def hear(ticket: Ticket, event: Event) -> None:
        heard.append((event.kind, event.data.get("field")))

    listen("probe", **dict.fromkeys(FACTS - {"event_recorded"}, hear))
    jonas, team = make_user("agent"), make_team()
    ticket = make_ticket()
    workflow.assign(ticket, jonas, jonas)
    workflow.move(ticket, team, jonas)
    workflow.set_priority(ticket, "high", jonas)
    workflow.reply(ticket, MessageDraft("Hello"), jonas)
    assert heard == [], "nothing is told inside the request"
    run_jobs()
    assert heard == [
        ("ticket_opened", None),
        ("message_added", None),
        ("ticket_assigned", None),
        ("ticket_moved", None),
        ("ticket_updated", "priority"),
        ("message_added", None),
        ("ticket_status_changed", None),
    ]
    run_jobs()
    dispatch.dispatch()
    assert len(heard) == 7


@pytest.mark.db
def test_a_plugin_that_fails_keeps_nobody_waiting_and_is_asked_again(
    listen: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    heard: dict[str, list[int]] = {"broken": [], "sound": []}
    trouble = {"on": True}

    def fail(ticket: Ticket) -> None:
        with transaction():
            db.session.add(Tag(name=f"half {ticket.id}"))
            db.session.flush()
        if trouble["on"]:
            raise RuntimeError("no luck")
        heard["broken"].append(ticket.id)

    broken = listen("broken", ticket_opened=fail)
    listen("sound", ticket_opened=lambda ticket: heard["sound"].append(ticket.id))
    first, second = make_ticket(), make_ticket()
    run_jobs()
    assert heard == {"broken": [], "sound": [first.id, second.id]}
    assert db.session.scalars(select(Tag.name)).all() == [], "what it wrote before it failed is undone"
    assert broken.health["ticket_opened"].errors >= 2
    state = db.session.get_one(PluginState, "broken")
    assert state.error == "RuntimeError: no luck" and state.failed_at is not None
    assert len(db.session.scalars(select(Job).where(Job.name == dispatch.RETRY_JOB, Job.state == "waiting")).all()) == 2

    trouble["on"] = False
    travel(minutes=1)
    run_jobs()
    assert sorted(heard["broken"]) == [first.id, second.id] and len(heard["sound"]) == 2
    assert sorted(db.session.scalars(select(Tag.name))) == [f"half {first.id}", f"half {second.id}"]


@pytest.mark.db
def test_an_effect_in_the_database_happens_once_though_many_workers_hand_out(
    listen: Any, make_ticket: Any, at_once: Any
) -> None:
    def note(event: Event) -> None:
        db.session.add(Tag(name=f"event {event.id}"))

    listen("probe", event_recorded=note)
    for _number in range(6):
        make_ticket()
    results = at_once(4, lambda _place: dispatch.dispatch())
    assert all(isinstance(result, int) for result in results), results
    names = db.session.scalars(select(Tag.name)).all()
    assert len(names) == len(set(names)) == 12
    assert db.session.get_one(PluginState, "probe").cursor == 12


def test_an_effect_and_the_note_that_it_happened_are_one(listen: Any, make_ticket: Any) -> None:
    """As if the worker were killed right after the plugin has written: nothing of it stays, and it is told again."""
    kill = {"on": True}

    class Killed(BaseException):
        pass

    def write(ticket: Ticket) -> None:
        db.session.add(Team(name=f"for {ticket.id}"))
        db.session.flush()
        if kill["on"]:
            raise Killed

    listen("probe", ticket_opened=write)
    make_ticket()
    with pytest.raises(Killed):
        dispatch.dispatch()
    assert db.session.scalars(select(Team)).all() == []
    kill["on"] = False
    dispatch.dispatch()
    dispatch.dispatch()
    assert db.session.scalars(select(Team.name)).all() == ["for 1"]


def test_a_plugin_that_has_just_come_does_not_hear_the_past(plug: Any, make_ticket: Any, run_jobs: Any) -> None:
    make_ticket()
    heard: list[int] = []
    plug("probe", ticket_opened=lambda ticket: heard.append(ticket.id))
    dispatch.dispatch()
    second = make_ticket()
    run_jobs()
    assert heard == [second.id]


def test_a_plugin_that_is_off_hears_nothing_not_even_later(listen: Any, make_ticket: Any, run_jobs: Any) -> None:
    heard: list[int] = []
    listen("probe", ticket_opened=lambda ticket: heard.append(ticket.id))
    assert plugin_states.switch("probe", False, None)
    make_ticket()
    run_jobs()
    assert plugin_states.switch("probe", True, None)
    third = make_ticket()
    run_jobs()
    assert heard == [third.id]


def test_every_event_is_heard_by_who_asks_for_all(listen: Any, make_ticket: Any, run_jobs: Any) -> None:
    heard: list[str] = []
    listen("probe", event_recorded=lambda event: heard.append(event.kind))
    make_ticket()
    with transaction():
        record("surveys.sent", None, None, {"number": 1})
    run_jobs()
    assert heard == ["ticket_opened", "message_added", "surveys.sent"]


def test_an_event_is_written_with_its_change_or_not_at_all(app: Any) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        record("surveys.sent", None, None)


def test_nothing_is_asked_of_workers_when_nobody_listens(make_app: Any) -> None:
    from helpdesk.core import accounts
    from helpdesk.core.drafts import TicketDraft

    app = make_app({})
    with app.app_context():
        requester = accounts.requester_for("tom@post.example")
        workflow.open_ticket(TicketDraft("s", requester.id, "x"), None)
        assert db.session.scalars(select(Job)).all() == []
