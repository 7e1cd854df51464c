"""Calls and mails that come by themselves after a ticket was solved, with a cap for each customer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_callbacks import cells
from helpdesk_callbacks.models import CALL, DONE, MAIL, RULE, UNWANTED, WRITTEN, Call, Followed, FollowUpRule, Reason
from helpdesk_callbacks.settings import CallbackSettings

from helpdesk.api import Delivery, Event, Ticket, User, db, now, reopen, set_priority, solve, tag, transaction


@pytest.fixture
def rule(app: Any) -> Callable[..., FollowUpRule]:
    """A rule that asks by a call three days after, unless something else is said."""

    def make(**wanted: Any) -> FollowUpRule:
        number = db.session.scalar(db.select(db.func.count(FollowUpRule.id)))
        with transaction():
            made = FollowUpRule(**{"name": f"Rule {number}", "since": now() - timedelta(seconds=1), **wanted})
            db.session.add(made)
        return made

    return make


@pytest.fixture
def wait(travel: Any, run_jobs: Any) -> Callable[..., None]:
    """Let time pass, and workers look."""

    def go(**forward: float) -> None:
        travel(**forward)
        for _look in range(2):
            run_jobs()

    return go


def made() -> list[Call]:
    return list(db.session.scalars(db.select(Call).where(Call.source == RULE).order_by(Call.id)))


def test_a_call_comes_some_days_after_once(
    rule: Any, wait: Any, ticket: Ticket, anna: User, agent: User, make_ticket: Any, run_jobs: Any
) -> None:
    """The customer is told of none; with the reason and the words of the rule. One who has had one gets no other."""
    with transaction():
        anna.phone = "+49 30 77"
        reason = Reason(name="How is it?", questions="Does it run?")
        db.session.add(reason)
        db.session.flush()
        reason_id = reason.id
    run_jobs()
    rule(reason_id=reason_id, words="Ask about the brakes", days=3)
    solve(ticket, agent)
    solve(make_ticket("Another", requester=anna), agent)
    wait(days=2)
    assert made() == []
    wait(days=1, minutes=1)
    (call,) = made()
    assert (call.kind, call.phone, call.reason_id, call.reason) == (
        CALL,
        "+49 30 77",
        reason_id,
        "Ask about the brakes",
    )
    assert call.starts_at > now() and call.ticket_id == ticket.id and call.agent_id is None
    assert db.session.scalar(db.select(db.func.count(Delivery.id)).where(Delivery.kind == "letter")) == 0
    assert db.session.scalar(db.select(db.func.count()).select_from(Followed)) == 2
    wait(days=1)
    assert len(made()) == 1
    wait(days=40)
    assert len(made()) == 1


def test_a_rule_chooses_its_tickets(
    rule: Any, wait: Any, make_ticket: Any, make_user: Any, make_team: Any, agent: User, run_jobs: Any, configure: Any
) -> None:
    """By team, tag and priority; not what was opened again, was solved before the rule, or has nobody to be called."""
    configure(CallbackSettings, follow_up_most=5)
    team = make_team("Workshop")
    run_jobs()

    def person(**wanted: Any) -> User:
        user = make_user(**wanted)
        with transaction():
            user.phone = "030 12345"
        return user

    before = make_ticket("Before", requester=person())
    solve(before, agent)
    wait(minutes=1)
    rule(team_id=team.id)
    rule(tag="repair")
    rule(priority="urgent", kind=MAIL)
    rule(active=False)
    mine = make_ticket("Of the team", requester=person(), team=team)
    tagged, urgent = make_ticket("Tagged", requester=person()), make_ticket("Urgent", requester=person())
    tag(tagged, ["repair"], agent)
    set_priority(urgent, "urgent", agent)
    again, silent = make_ticket("Again", requester=person(), team=team), make_ticket("Silent", team=team)
    for ticket in (mine, tagged, urgent, again, silent, make_ticket("Plain", requester=person())):
        solve(ticket, agent)
    reopen(again, agent)
    wait(days=3, minutes=1)
    calls = made()
    assert sorted(call.ticket.subject for call in calls) == ["Of the team", "Tagged", "Urgent"]
    assert {call.ticket.subject: call.kind for call in calls}["Urgent"] == MAIL


def test_a_mail_that_asks_goes_out_with_a_way_to_want_no_more(
    rule: Any, wait: Any, make_ticket: Any, make_user: Any, agent: User, run_jobs: Any
) -> None:
    """It is no call to make; who wants no such mail gets none, also when that is said a moment before."""
    asked, no_more, late = make_user(), make_user(), make_user()
    run_jobs()
    rule(kind=MAIL, days=1, words="Does it run?")
    with transaction():
        no_more.care_mail = False
    for person in (asked, no_more, late):
        solve(make_ticket(requester=person), agent)
    wait(days=1, minutes=1)
    calls = made()
    assert {call.person_id for call in calls} == {asked.id, late.id}
    with transaction():
        late.care_mail = False
    wait(minutes=20)
    assert {call.person_id: (call.state, call.outcome) for call in made()} == {
        asked.id: (DONE, WRITTEN),
        late.id: (DONE, UNWANTED),
    }
    (mail,) = db.session.scalars(db.select(Delivery).where(Delivery.kind == "care")).all()
    assert mail.user_id == asked.id and "Does it run?" in mail.data["text"]
    facts = db.session.scalars(db.select(Event.data).where(Event.kind == "callbacks_done")).all()
    assert sorted(fact["outcome"] for fact in facts) == [UNWANTED, WRITTEN]


def test_a_time_that_is_gone_meanwhile_is_not_the_last(
    rule: Any, wait: Any, ticket: Ticket, anna: User, agent: User, run_jobs: Any, monkeypatch: Any
) -> None:
    """The next one is taken, and nothing is left of the call that could not be."""
    with transaction():
        anna.phone = "+49 30 77"
    run_jobs()
    rule(days=1)
    solve(ticket, agent)
    take, turns = cells.take, []

    def quicker(call: Call) -> None:
        turns.append(call.starts_at)
        if len(turns) == 1:
            raise cells.Full
        take(call)

    monkeypatch.setattr(cells, "take", quicker)
    wait(days=1, minutes=1)
    (call,) = made()
    assert call.starts_at > turns[0] and call.alarm_at is not None
