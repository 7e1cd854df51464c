"""What follows an answer by rule: a ticket, a call, a word to supervisors, a tag; and what was done about it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from helpdesk_surveys import following, listing
from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.links import token
from helpdesk_surveys.models import FollowUp, Survey
from helpdesk_surveys.settings import SurveySettings

from helpdesk.api import Event, Invalid, Message, NotAllowed, Ticket, User, db, hookimpl, hookspec, transaction

Make = Callable[..., Survey]


def rule(do: str, most: int = 2, **values: Any) -> dict[str, Any]:
    return {"least": 1, "most": most, "do": do, "team_id": None, "tag": "", **values}


def follow_ups() -> list[FollowUp]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(FollowUp).order_by(FollowUp.id)))


def told(sign_in: Any, user: User) -> str:
    return str(sign_in(user).get("/desk/notifications").text)


def test_a_low_score_opens_one_ticket_with_the_comment(
    survey: Make, solved: Any, ticket: Ticket, anna: User, agent: User, boss: User, travel: Any, run_jobs: Any,
    make_user: Any, sign_in: Any,
) -> None:  # fmt: skip
    """After some minutes, once; a later comment is added; supervisors are told; the tag is given."""
    survey(rules=[rule("tell"), rule("tag", tag="unhappy"), rule("ticket")])
    chief = make_user("supervisor")
    text = token(solved())
    answer(open_link(text), 1)
    answer(open_link(text), 1, "It never came.")
    run_jobs()
    assert follow_ups() == []
    travel(minutes=6)
    run_jobs()
    by = {one.action: one for one in follow_ups()}
    opened = by["ticket"].ticket
    assert sorted(by) == ["tag", "tell", "ticket"] and opened.requester_id == anna.id and opened.priority == "high"
    first = db.session.scalar(db.select(Message).where(Message.ticket_id == opened.id))
    assert "It never came." in first.text and f"#{ticket.id}" in first.text
    assert [one.name for one in ticket.tags] == ["unhappy"] and by["tag"].state == "resolved"
    assert "Anna Berg answered" in told(sign_in, chief)
    answer(open_link(text), 2, "It came at last.")
    travel(minutes=6)
    run_jobs()
    run_jobs()
    words = db.session.scalars(db.select(Message).where(Message.ticket_id == opened.id).order_by(Message.id)).all()
    assert [(one.text, one.author_id) for one in words[1:]] == [("It came at last.", anna.id)]
    assert len(follow_ups()) == 3 and db.session.scalar(db.select(db.func.count()).select_from(Ticket)) == 2
    answer(open_link(text), 5)
    travel(minutes=6)
    run_jobs()
    assert len(follow_ups()) == 3
    one = by["ticket"]
    with pytest.raises(Invalid):
        following.mark(one, "forgotten", boss)
    with pytest.raises(NotAllowed):
        following.mark(one, "contacted", make_user("agent"))
    following.mark(one, "contacted", agent, "Called her.")
    following.mark(one, "contacted", agent)
    db.session.refresh(one)
    assert (one.state, one.note, one.marked_by_id) == ("contacted", "Called her.", agent.id)
    marked = db.session.scalars(db.select(Event).where(Event.kind == "surveys.marked")).all()
    assert [event.ticket_id for event in marked] == [opened.id]
    shown = listing.follow_ups(boss, "contacted")
    assert [row.id for row in shown.rows] == [one.id] and listing.follow_ups(make_user("agent")).rows == []


def test_a_good_score_has_its_own_rules_and_no_others(survey: Make, solved: Any, ticket: Ticket, run_jobs: Any,
                                                      configure: Any) -> None:  # fmt: skip
    configure(SurveySettings, act_minutes=0)
    survey(rules=[rule("ticket"), {**rule("tag", 5, tag="happy"), "least": 4}])
    answer(open_link(token(solved())), 5)
    run_jobs()
    assert [(one.action, one.tag) for one in follow_ups()] == [("tag", "happy")]
    db.session.refresh(ticket)
    assert [one.name for one in ticket.tags] == ["happy"]


def test_a_call_is_booked_by_the_plugin_of_calls(
    survey: Make, solved: Any, ticket: Ticket, anna: User, run_jobs: Any, configure: Any, plug: Any
) -> None:
    """Its hook is asked for the next times; the first one that is free is taken."""
    asked: list[str] = []

    @hookspec("answer")
    def callbacks_schedule(
        ticket_id: int, start: str, phone: str, reason: str, agent_id: int | None, team_id: int | None
    ) -> int | None:
        """Promise a call."""

    @hookimpl(specname="callbacks_schedule", optionalhook=True)
    def schedule(ticket_id: int, start: str, reason: str) -> int | None:
        asked.append(start)
        assert ticket_id == ticket.id and "1 of 5" in reason
        return 42 if len(asked) == 3 else None

    plug("callbacks", register_hookspecs=lambda: [callbacks_schedule], callbacks_schedule=schedule)
    configure(SurveySettings, act_minutes=0)
    with transaction():
        anna.phone = "+49 30 1234567"
    survey(rules=[rule("call")])
    answer(open_link(token(solved())), 1)
    run_jobs()
    (one,) = follow_ups()
    assert (one.action, one.call_id, one.ticket_id) == ("call", 42, ticket.id)
    times = [datetime.fromisoformat(text) for text in asked]
    assert times == sorted(set(times)) and {moment.minute % 15 for moment in times} == {0}


def test_without_calls_a_ticket_is_opened_instead(
    survey: Make, ticket: Ticket, anna: User, run_jobs: Any, configure: Any, boss: User
) -> None:
    """Of an answer without a ticket as well."""
    from helpdesk_surveys.invitations import invite

    configure(SurveySettings, act_minutes=0)
    made = survey(kind="nps", occasion="hand", rules=[{**rule("call", 6), "least": 0}])
    one = invite(made, anna, None, boss)
    run_jobs()
    db.session.refresh(one)
    answer(open_link(token(one)), 0, "=HYPERLINK(1)")
    run_jobs()
    (follow_up,) = follow_ups()
    assert follow_up.call_id is None and follow_up.ticket.subject == "Survey answered with 0 of 10: How was it?"
