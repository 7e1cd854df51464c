"""Who takes a new ticket: in turn or the least busy, of those who are there and have room."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from helpdesk.api import hookimpl
from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Absence, Event, Team, Ticket, User
from helpdesk.core.teams import change_team, make_team, set_capacities
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import giving

pytestmark = pytest.mark.db


class Choosing:
    """Gives tickets whose subject says so to a person."""

    @hookimpl
    def choose_assignee(self, ticket: Any) -> Any:
        name = ticket.subject.removeprefix("for ")
        return db.session.scalar(db.select(User).where(User.name == name)) if name != ticket.subject else None


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {"choosing": Choosing()}


@pytest.fixture
def people(app: Any, make_user: Callable[..., Any]) -> list[Any]:
    return [make_user("agent", name=name) for name in ("Ann", "Ben", "Cid")]


def opened(team: Team | None, requester: Any, **values: Any) -> Ticket:
    draft = TicketDraft("Bell", requester.id, "It is mute.", team_id=team.id if team else None)
    for key, value in values.items():
        setattr(draft, key, value)
    return workflow.open_ticket(draft, None)


def names(tickets: list[Ticket]) -> list[str]:
    return [ticket.assignee.name if ticket.assignee else "-" for ticket in tickets]


def last_data(kind: str = "ticket_opened") -> dict[str, Any]:
    query = db.select(Event).where(Event.kind == kind).order_by(Event.id.desc()).limit(1)
    return dict(db.session.scalars(query).one().data)


def test_in_turn_with_capacity_and_absence(people: list[Any], make_user: Any) -> None:
    customer, (ann, ben, cid) = make_user(), people
    team = make_team("Shop", None, members=people, assignment="round_robin")
    assert names([opened(team, customer) for _turn in range(4)]) == ["Ann", "Ben", "Cid", "Ann"]
    assert last_data()["way"] == "round_robin" and last_data()["agent"] == ann.id
    # Whom the draft or a plugin names goes first, and takes no turn.
    assert names([opened(team, customer, assignee_id=cid.id), opened(team, customer, subject="for Cid")]) == ["Cid"] * 2
    with transaction():
        db.session.add(
            Absence(user_id=ben.id, begins_at=now() - timedelta(hours=1), ends_at=now() + timedelta(hours=1))
        )
    set_capacities({cid.id: 3}, None)
    assert names([opened(team, customer), opened(team, customer)]) == ["Ann", "Ann"]
    set_capacities({ann.id: 1}, None)
    assert names([opened(team, customer)]) == ["-"] and last_data()["unassigned"] == "full"
    # A colleague's own question is for somebody else.
    set_capacities({ann.id: None}, None)
    assert names([opened(team, ann)]) == ["-"]
    with transaction():
        for person in (ann, cid):
            db.session.get_one(User, person.id).active = False
    assert names([opened(team, customer)]) == ["-"] and last_data()["unassigned"] == "away"
    change_team(team, None, name="Shop", color="blue", private=False, active=True, members=[])
    assert names([opened(team, customer)]) == ["-"] and last_data()["unassigned"] == "nobody"
    assert names([opened(None, customer)]) == ["-"] and "unassigned" not in last_data()


def test_the_least_busy_counts_what_is_unsolved_everywhere(people: list[Any], make_user: Any) -> None:
    customer, (ann, ben, cid) = make_user(), people
    for agent in (ann, ann, ben):
        opened(None, customer, assignee_id=agent.id)
    solved = opened(None, customer, assignee_id=cid.id)
    workflow.solve(solved, cid)
    team = make_team("Shop", None, members=people, assignment="least_busy")
    assert names([opened(team, customer) for _turn in range(4)]) == ["Cid", "Ben", "Cid", "Ann"]
    assert names([opened(team, customer, status="solved")]) == ["-"]


def test_a_ticket_that_nobody_has_is_given_out_when_it_moves(people: list[Any], make_user: Any) -> None:
    customer, ann = make_user(), people[0]
    ticket, taken = opened(None, customer), opened(None, customer, assignee_id=people[1].id)
    team = make_team("Shop", None, members=[ann], assignment="round_robin")
    workflow.move(ticket, team, people[2])
    workflow.move(taken, team, people[2])
    assert names([ticket, taken]) == ["Ann", "Ben"]
    event = last_data("ticket_assigned")
    assert (event["to"], event["way"]) == (ann.id, "round_robin")
    set_capacities({ann.id: 1}, None)
    later = opened(None, customer)
    workflow.move(later, team, people[2])
    assert later.assignee_id is None and last_data("ticket_moved")["unassigned"] == "full"


def test_what_came_when_nobody_was_there_is_given_out_later(people: list[Any], make_user: Any, travel: Any) -> None:
    customer, (ann, ben, cid) = make_user(), people
    run_due()
    team = make_team("Shop", None, members=[ann, ben], assignment="round_robin")
    by_hand = make_team("Post", None, members=[cid])
    set_capacities({ben.id: 1}, None)
    with transaction():
        for person in (ann, ben):
            times = {"begins_at": now() - timedelta(hours=1), "ends_at": now() + timedelta(hours=2)}
            db.session.add(Absence(user_id=person.id, **times))
    early = [opened(team, customer) for _turn in range(3)]
    moved, handed, put_back, resting, solved = (opened(None, customer) for _turn in range(5))
    workflow.move(moved, team, cid)
    workflow.move(handed, team, cid)
    workflow.give_to_team(handed, team, cid)
    for ticket in (put_back, resting, solved):
        workflow.move(ticket, team, cid)
    workflow.assign(put_back, cid, cid)
    workflow.assign(put_back, None, cid)
    workflow.snooze(resting, now() + timedelta(hours=4), cid)
    workflow.solve(solved, cid)
    elsewhere, own = opened(by_hand, customer), opened(team, ann)
    every = [*early, moved, handed, put_back, resting, solved, elsewhere, own]
    travel(hours=1)
    run_due()
    db.session.expire_all()
    assert set(names(every)) == {"-"}
    travel(hours=1, minutes=10)
    run_due()
    db.session.expire_all()
    # In turn and in the order in which they came; Ben takes one, and of Ann's own question nobody.
    assert names(every) == ["Ann", "Ben", "Ann", "Ann", "Ann", "-", "-", "-", "-", "-"]
    event = last_data("ticket_assigned")
    assert (event["to"], event["way"]) == (ann.id, "round_robin")
    set_capacities({ben.id: 3}, None)
    travel(hours=2)
    run_due()
    db.session.expire_all()
    assert names([resting, own, put_back, elsewhere]) == ["Ben", "Ben", "-", "-"]


def test_giving_out_that_breaks_off_gives_each_ticket_once(
    people: list[Any], make_user: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, (ann, ben, _cid) = make_user(), people
    run_due()
    team = make_team("Shop", None, members=[ann, ben], assignment="round_robin")
    set_capacities({ann.id: 0, ben.id: 0}, None)
    tickets = [opened(team, customer) for _turn in range(5)]
    set_capacities({ann.id: None, ben.id: None}, None)
    take, taken = giving.take, []

    def breaking(ticket: Ticket, given: Any) -> None:
        take(ticket, given)
        taken.append(ticket.id)
        if len(taken) == 4:
            raise RuntimeError("Killed in the middle of the second step.")

    monkeypatch.setattr(giving, "_BATCH", 2)
    monkeypatch.setattr(giving, "take", breaking)
    travel(minutes=6)
    run_due()
    db.session.expire_all()
    assert names(tickets) == ["Ann", "Ben", "-", "-", "-"], "a step is kept as a whole"
    travel(hours=2)
    run_due()
    db.session.expire_all()
    assert names(tickets) == ["Ann", "Ben", "Ann", "Ben", "Ann"]
    told = db.session.scalars(
        db.select(Event.ticket_id).where(Event.kind == "ticket_assigned").order_by(Event.ticket_id)
    )
    assert list(told) == [ticket.id for ticket in tickets]


def test_giving_out_later_asks_no_more_for_more_tickets(
    people: list[Any], make_user: Any, travel: Any, count_queries: Any
) -> None:
    customer, (ann, ben, _cid) = make_user(), people
    run_due()
    team = make_team("Shop", None, members=[ann, ben], assignment="least_busy")
    set_capacities({ann.id: 0, ben.id: 0}, None)

    def reads() -> int:
        travel(minutes=6)
        with count_queries() as statements:
            run_due()
        return sum(" FROM ticket" in one or " FROM team" in one for one in statements)

    few = [opened(team, customer) for _turn in range(2)]
    nobody_free = reads()
    more = [opened(team, customer) for _turn in range(60)]
    assert reads() == nobody_free
    set_capacities({ann.id: 31, ben.id: None}, None)
    reads()
    db.session.expire_all()
    assert sorted(names(few + more)) == ["Ann"] * 31 + ["Ben"] * 31


def test_many_at_once_go_round(app: Any, people: list[Any], make_user: Any) -> None:
    customer, team = make_user(), make_team("Shop", None, members=people, assignment="round_robin")
    wanted, start = TicketDraft("Bell", customer.id, "It is mute.", team_id=team.id), threading.Barrier(3)

    def one(_number: int) -> None:
        start.wait(60)
        with app.app_context():
            for _turn in range(4):
                workflow.open_ticket(TicketDraft(**vars(wanted)), None)
            db.session.remove()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(3)))
    db.session.rollback()
    counts = db.session.execute(db.select(Ticket.assignee_id, db.func.count()).group_by(Ticket.assignee_id))
    assert sorted(count for _agent, count in counts) == [4, 4, 4]
