"""Who is asked when: after a solution, on a rhythm, by hand.

The hooks ticket_status_changed, register_jobs, register_schedules and register_commands.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from helpdesk_surveys import rhythm, surveys
from helpdesk_surveys.cli import register_commands
from helpdesk_surveys.invitations import invite
from helpdesk_surveys.models import ANSWERED, PLANNED, SENT, SUPPRESSED, Invitation, Suppression, Survey

from helpdesk.api import NotAllowed, Refused, Ticket, User, db, now, reopen, solve, transaction

Make = Callable[..., Survey]


def all_of(table: Any) -> list[Any]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(table).order_by(table.id)))


def whys() -> list[str]:
    return [one.why for one in all_of(Suppression)]


def test_a_solved_ticket_is_asked_about_after_the_delay(
    survey: Make, ticket: Ticket, agent: User, anna: User, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    """Once; solved again it is put off; only by surveys that are on and of its team; colleagues are not asked."""
    made = survey()
    survey(name="Off", on=False)
    survey(name="By hand", occasion="hand")
    solve(ticket, agent)
    run_jobs()
    one, *others = all_of(Invitation)
    assert others == [] and (one.survey_id, one.state, one.user_id, one.agent_id) == (
        made.id,
        PLANNED,
        anna.id,
        agent.id,
    )
    assert timedelta(hours=1, minutes=59) < one.due_at - now() <= timedelta(hours=2)
    travel(hours=1)
    reopen(ticket, agent)
    solve(ticket, agent)
    run_jobs()
    (again,) = all_of(Invitation)
    assert again.due_at - now() > timedelta(hours=1, minutes=59)
    travel(hours=3)
    run_jobs()
    assert [one.state for one in all_of(Invitation)] == [SENT]
    # Closed from solved is no second solution.
    mate = make_user("agent")
    solve(make_ticket("Ours", requester=mate), agent)
    run_jobs()
    assert len(all_of(Invitation)) == 1 and whys() == ["staff"]


def test_who_opens_it_again_is_not_asked(survey: Make, ticket: Ticket, agent: User, run_jobs: Any, travel: Any) -> None:
    survey()
    solve(ticket, agent)
    run_jobs()
    reopen(ticket, agent)
    travel(hours=3)
    run_jobs()
    assert [one.state for one in all_of(Invitation)] == [SUPPRESSED] and whys() == ["reopened"]


@pytest.mark.db
def test_customers_are_asked_on_a_rhythm(
    survey: Make, ticket: Ticket, anna: User, make_user: Any, make_ticket: Any, travel: Any, run_jobs: Any, mails: Any
) -> None:
    """Each once in so many days, who has a ticket; run twice it plans nobody twice."""
    made = survey(kind="nps", occasion="rhythm", rhythm_days=60, reminder_days=0)
    make_user(name="No Ticket", email="none@customer.example")
    dark = make_user(name="Dark")
    with transaction():
        dark.email = None
    make_ticket("No address", requester=dark)
    assert (rhythm.plan_now(), rhythm.plan_now()) == (1, 0)
    (one,) = all_of(Invitation)
    assert (one.user_id, one.ticket_id, one.team_id, one.channel) == (anna.id, None, ticket.team_id, ticket.channel)
    run_jobs()
    travel(minutes=6)
    run_jobs()
    assert len(mails()) == 1 and "/p/surveys/a/" in mails()[0]["text"]
    travel(days=59)
    assert rhythm.plan_now() == 0
    travel(days=2)
    assert rhythm.plan_now() == 1
    with transaction():
        # Left out this time, the turn comes again after the days of the cap, not after those of the rhythm.
        all_of(Invitation)[-1].state = SUPPRESSED
    travel(days=31)
    assert rhythm.plan_now() == 1
    surveys.switch(made, False, None)
    travel(days=61)
    assert rhythm.plan_now() == 0


def test_planning_asks_as_often_for_many(survey: Make, make_user: Any, make_ticket: Any, count_queries: Any) -> None:
    made, counts = survey(kind="nps", occasion="rhythm"), []
    for number in (2, 1, 12):
        people = [make_user(name=f"P{number}-{one}") for one in range(number)]
        for person in people:
            make_ticket("Hello", requester=person)
        found = rhythm.turn(made.id, 0)
        assert len(found) == number
        with transaction(), count_queries() as statements:
            assert rhythm.add(made.id, found) == number
        counts.append(len(statements))
    assert counts[1] == counts[2]


def test_by_hand_all_limits_hold(
    survey: Make, ticket: Ticket, anna: User, agent: User, boss: User, make_user: Any, run_jobs: Any, mails: Any,
    make_ticket: Any,
) -> None:  # fmt: skip
    """Agents pick nobody, nobody asks about their own work, the cap holds, and every refusal is logged."""
    made = survey(occasion="hand")
    with pytest.raises(NotAllowed):
        invite(made, anna, ticket, agent)
    mine = make_ticket("Mine", requester=anna, assignee=boss)
    with pytest.raises(Refused, match="their own work"):
        invite(made, anna, mine, boss)
    other = make_user(name="Otto")
    with pytest.raises(Refused, match="somebody else"):
        invite(made, other, ticket, boss)
    first = invite(made, anna, ticket, boss)
    with pytest.raises(Refused, match="already"):
        invite(made, anna, ticket, boss)
    run_jobs()
    db.session.refresh(first)
    assert (first.state, first.source, first.asked_by_id) == (SENT, "hand", boss.id) and len(mails()) == 1
    second = survey(name="Another", occasion="hand", kind="ces")
    with pytest.raises(Refused, match="as many surveys"):
        invite(second, anna, None, boss)
    with transaction():
        other.care_mail = False
    with pytest.raises(Refused, match="did not ask for"):
        invite(second, other, None, boss)
    surveys.switch(second, False, boss)
    with pytest.raises(Refused, match="switched off"):
        invite(second, other, None, boss)
    assert whys() == ["own", "other_team", "again", "cap", "opted_out", "off"]
    assert {one.actor_id for one in all_of(Suppression)} == {boss.id} and len(all_of(Invitation)) == 1


def test_the_command_line(survey: Make, ticket: Ticket) -> None:
    survey(kind="nps", occasion="rhythm")
    commands = {one.command.name: one.command for one in register_commands()}
    assert "Planned 1 invitations." in CliRunner().invoke(commands["plan"]).output
    assert "Saw to 1 invitations." in CliRunner().invoke(commands["send"]).output
    assert "How was it?: 6 rows." in CliRunner().invoke(commands["recount"]).output
    assert ANSWERED not in {one.state for one in all_of(Invitation)}
