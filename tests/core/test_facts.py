"""Facts: handed to each plugin after the commit, once, in order, and again when a plugin failed."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import plugin_data, plugin_states, schema, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events import dispatch, held
from helpdesk.core.events.record import FACTS, record
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Event, HeldFact, Job, PluginState, Tag, Team, Ticket
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.usefixtures("nothing_daily")


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
    assert len(db.session.scalars(select(Job).where(Job.name == held.RETRY_JOB, Job.state == "waiting")).all()) == 2

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
        assert db.session.scalars(select(Job).where(Job.name == "core.facts")).all() == []


@pytest.mark.db
def test_one_that_came_with_a_restart_hears_the_first_fact(plug: Any, make_ticket: Any, run_jobs: Any) -> None:
    heard: list[str] = []
    make_ticket("Before it came")
    run_jobs()
    plug("fresh", ticket_opened=lambda ticket: heard.append(ticket.subject))
    # As each web server and worker does when it starts.
    schema.welcome_plugins()
    make_ticket("The first since")
    run_jobs()
    assert heard == ["The first since"]
    schema.welcome_plugins()
    make_ticket("The second")
    run_jobs()
    assert heard == ["The first since", "The second"]


def test_a_new_version_that_begins_to_listen_hears_nothing_old(
    make_app: Any, plug: Any, make_ticket: Any, run_jobs: Any
) -> None:
    heard: list[str] = []
    plug("grows", ticket_opened=lambda ticket: heard.append(ticket.subject))
    with transaction():
        # As the version before it, which had no hook for facts, was kept.
        db.session.add(PluginState(name="grows", cursor=0, listens=False))
    make_ticket("While it did not listen")
    schema.welcome_plugins()
    make_ticket("Since it listens")
    run_jobs()
    assert heard == ["Since it listens"]


# ---- what a plugin has not taken in


class Recorder:
    """A plugin that writes a tag for each event, and fails on the numbers that it is told to fail on."""

    def __init__(self) -> None:
        self.fails: set[int] = set()
        self.heard: list[int] = []

    def hear(self, event: Event) -> None:
        db.session.add(Tag(name=f"event {event.id}"))
        db.session.flush()
        if event.id in self.fails:
            raise RuntimeError(f"no luck with {event.id}")
        self.heard.append(event.id)


@pytest.fixture
def recorder(listen: Any) -> Recorder:
    made = Recorder()
    listen("probe", event_recorded=lambda event: made.hear(event))
    return made


def held_rows() -> list[tuple[int, str]]:
    db.session.rollback()
    query = select(HeldFact.event_id, HeldFact.error).order_by(HeldFact.event_id)
    return [(number, error) for number, error in db.session.execute(query)]


def events_of(ticket: Ticket) -> list[int]:
    return list(db.session.scalars(select(Event.id).where(Event.ticket_id == ticket.id).order_by(Event.id)))


@pytest.mark.db
def test_a_failing_fact_holds_back_those_of_its_ticket_in_order_and_no_other(
    recorder: Recorder, make_ticket: Any, make_user: Any, run_jobs: Any, travel: Any
) -> None:
    agent, first, second = make_user("agent"), make_ticket(), make_ticket()
    opened = events_of(first)[0]
    recorder.fails = {opened}
    run_jobs()
    workflow.note(first, MessageDraft("Behind it"), agent)
    workflow.note(second, MessageDraft("Not behind it"), agent)
    run_jobs()
    mine, others = events_of(first), events_of(second)
    assert recorder.heard == others, "the other ticket's go on"
    assert held_rows() == [(opened, f"RuntimeError: no luck with {opened}"), *((number, "") for number in mine[1:])]
    assert db.session.get_one(PluginState, "probe").cursor == max(mine + others)
    assert len(db.session.scalars(select(Job).where(Job.name == held.RETRY_JOB)).all()) == 1
    (line,) = held.listed()
    assert (line.fact.event_id, line.fact.ticket_id, line.behind) == (opened, first.id, len(mine) - 1)
    assert line.next_at is not None and not line.needs_attention and line.fact.event.kind == "ticket_opened"

    recorder.fails = set()
    travel(hours=1)
    run_jobs()
    assert recorder.heard == others + mine, "in their order"
    assert held_rows() == [] and held.listed() == []
    names = db.session.scalars(select(Tag.name)).all()
    assert sorted(names) == sorted(f"event {number}" for number in mine + others), "each effect once"


@pytest.mark.db
def test_after_the_last_attempt_it_needs_attention_and_is_told_when_a_person_says_so(
    recorder: Recorder, make_ticket: Any, make_user: Any, run_jobs: Any, travel: Any
) -> None:
    admin, ticket = make_user("admin"), make_ticket()
    opened = events_of(ticket)[0]
    recorder.fails = {opened}
    for _turn in range(12):
        run_jobs()
        travel(hours=8)
    job = db.session.scalars(select(Job).where(Job.name == held.RETRY_JOB)).one()
    assert job.state == "failed" and f"no luck with {opened}" in job.error
    (line,) = held.listed(plugin="probe")
    assert line.needs_attention and line.fact.attempts == 1 + job.attempts
    workflow.note(ticket, MessageDraft("Later"), admin)
    run_jobs()
    assert recorder.heard == [], "what comes later waits behind it"
    recorder.fails = set()
    assert held.replay("probe", opened, admin) is not None
    run_jobs()
    assert recorder.heard == events_of(ticket) and held_rows() == []
    assert sorted(db.session.scalars(select(Job.state).where(Job.name == held.RETRY_JOB))) == ["cancelled", "done"]
    assert held.replay("probe", opened, admin) is None


def test_a_person_may_discard_one_and_those_behind_it_go_on(
    recorder: Recorder, make_ticket: Any, make_user: Any, run_jobs: Any
) -> None:
    admin, agent, ticket = make_user("admin"), make_user("agent"), make_ticket()
    opened, *behind = events_of(ticket)
    recorder.fails = {opened}
    run_jobs()
    for verb in (held.replay, held.discard):
        with pytest.raises(NotAllowed):
            verb("probe", opened, agent)
    assert held.discard("probe", opened, admin) and not held.discard("probe", opened, admin)
    run_jobs()
    assert recorder.heard == behind and held_rows() == []
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "fact.discarded")).one()
    assert (entry.actor_id, entry.subject, entry.data) == (admin.id, f"probe #{opened}", {"kind": "ticket_opened"})


def test_an_event_without_a_ticket_waits_by_itself(recorder: Recorder, run_jobs: Any, travel: Any) -> None:
    with transaction():
        event = record("surveys.sent", None, None, {"number": 1})
        record("surveys.sent", None, None, {"number": 2})
    recorder.fails = {first := event.id}
    run_jobs()
    assert recorder.heard == [first + 1] and [number for number, _error in held_rows()] == [first]
    recorder.fails = set()
    travel(hours=1)
    run_jobs()
    assert recorder.heard == [first + 1, first] and held_rows() == []


@pytest.mark.db
def test_what_is_held_waits_for_a_plugin_that_is_off_and_goes_with_its_data(
    recorder: Recorder, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    first = make_ticket()
    opened = events_of(first)[0]
    recorder.fails = {opened}
    run_jobs()
    plugin_states.switch("probe", False, None)
    for _turn in range(20):
        travel(hours=8)
        run_jobs()
    (line,) = held.listed()
    assert line.next_at is not None, "it uses up no attempt while the plugin is off"
    recorder.fails = set()
    plugin_states.switch("probe", True, None)
    run_jobs()
    assert recorder.heard == events_of(first)
    second = make_ticket()
    recorder.fails = set(events_of(second))
    run_jobs()
    assert len(held_rows()) == len(events_of(second))
    plugin_states.switch("probe", False, None)
    assert ("facts", len(events_of(second))) in [(kept.kind, kept.rows) for kept in plugin_data.kept("probe")]
    plugin_data.purge("probe", None)
    assert held_rows() == [] and held.listed() == []


@pytest.mark.db
def test_what_is_held_of_a_ticket_goes_with_the_ticket(recorder: Recorder, make_ticket: Any, run_jobs: Any) -> None:
    ticket = make_ticket()
    recorder.fails = set(events_of(ticket))
    run_jobs()
    with transaction():
        db.session.execute(db.delete(Ticket).where(Ticket.id == ticket.id))
    run_jobs()
    assert held_rows() == [] and recorder.heard == []


@pytest.mark.db
def test_a_fact_is_told_again_once_though_many_workers_try(
    recorder: Recorder, make_ticket: Any, run_jobs: Any, at_once: Any
) -> None:
    class Steps:
        def heed(self) -> None:
            """Nobody wants it stopped."""

    ticket = make_ticket()
    number, numbers = ticket.id, events_of(ticket)
    recorder.fails = {numbers[0]}
    dispatch.dispatch()
    recorder.fails = set()
    results = at_once(4, lambda _place: held.retry(Steps(), "probe", ticket_id=number))
    assert results == [None] * 4
    assert recorder.heard == numbers and held_rows() == []
    assert sorted(db.session.scalars(select(Tag.name))) == sorted(f"event {number}" for number in numbers)


@pytest.mark.plugins
def test_a_plugin_is_asked_nothing_for_events_that_it_has_no_hook_for(
    listen: Any, make_ticket: Any, make_user: Any, count_queries: Any
) -> None:
    heard: list[int] = []
    # It hears every message.
    plugin_states.switch("multilingual", False, None)
    listen("probe", ticket_assigned=lambda ticket: heard.append(ticket.id))
    ticket, agent = make_ticket(), make_user("agent")
    asked = []
    # The first time each plugin is welcomed, too.
    for notes in (1, 1, 20):
        for _number in range(notes):
            workflow.note(ticket, MessageDraft("Nothing for it"), agent)
        with count_queries() as queries:
            dispatch.dispatch()
        asked.append(len(queries))
    # As many for twenty as for one.
    assert heard == [] and asked[1] == asked[2]
    assert db.session.get_one(PluginState, "probe").cursor == max(events_of(ticket))
    workflow.assign(ticket, agent, agent)
    dispatch.dispatch()
    assert heard == [ticket.id]


@pytest.mark.db
def test_what_comes_while_a_plugin_is_paused_is_told_when_it_goes_on(
    listen: Any, make_ticket: Any, run_jobs: Any
) -> None:
    heard: list[int] = []

    def hear(event: Event) -> None:
        heard.append(event.id)
        if len(heard) == 1:
            plugin_states.pause("probe", "It held up a process.")

    listen("probe", event_recorded=hear)
    numbers = events_of(make_ticket()) + events_of(make_ticket())
    run_jobs()
    run_jobs()
    assert heard == numbers[:1] and held_rows() == [], "nothing is passed over, nothing is held"
    plugin_states.switch("probe", True, None)
    make_ticket()
    run_jobs()
    assert heard[: len(numbers)] == numbers and len(heard) > len(numbers)


# ---- PostgreSQL: numbers are given out before their transactions end


@pytest.fixture
def other_writer(app: Any) -> Any:
    """A second connection, which writes an event and keeps its transaction open; ``other_writer()`` answers it."""
    opened: list[Any] = []

    def write() -> Any:
        connection = db.engine.connect()
        opened.append(connection)
        connection.execute(db.insert(Event).values(kind="other.early", data={}))
        return connection

    yield write
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("comes", [True, False])
def test_no_cursor_passes_an_event_that_is_committed_late(
    recorder: Recorder, other_writer: Any, run_jobs: Any, travel: Any, comes: bool
) -> None:
    with transaction():
        first = record("other.first", None, None)
    before = first.id
    early = other_writer()
    with transaction():
        last = record("other.late", None, None)
    late = last.id
    assert late == before + 2, "the open transaction has the number between"
    for _turn in range(3):
        run_jobs()
        travel(seconds=2)
    assert recorder.heard == [before], "it waits for the transaction that is still open"
    if comes:
        early.commit()
    else:
        early.rollback()
    for _turn in range(3):
        run_jobs()
        travel(seconds=2)
    assert recorder.heard == ([before, before + 1, late] if comes else [before, late])
    waiting = select(db.func.count(Job.id)).where(Job.name == "core.facts", Job.state == "waiting")
    assert db.session.scalar(waiting) == 0, "nobody looks any more"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_writes_of_two_tickets_and_who_writes_of_one_do_not_wait_in_a_circle(
    recorder: Recorder, make_ticket: Any, run_jobs: Any, aside: Any
) -> None:
    first, second = make_ticket().id, make_ticket().id
    run_jobs()

    def write_of(number: int) -> None:
        ticket = db.session.get_one(Ticket, number, with_for_update={"of": Ticket})
        record("other.written", ticket, None)
        db.session.flush()

    def write_of_one() -> None:
        with transaction():
            write_of(second)

    with transaction():
        write_of(first)
        other = aside(write_of_one)
        write_of(second)
    other.result(30)
    heard = len(recorder.heard)
    run_jobs()
    assert len(recorder.heard) == heard + 3
