"""What is kept of people: anonymous answers lead to nobody; export and erase.

The hooks export_personal_data, erase_personal_data, register_permissions and register_hookspecs.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import pytest
from helpdesk_surveys import listing
from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.counting import week_of
from helpdesk_surveys.exporting import answers_csv
from helpdesk_surveys.figures import Wanted, board
from helpdesk_surveys.links import token
from helpdesk_surveys.models import CLOSED, SENT, Invitation, Response, Suppression, Survey
from helpdesk_surveys.permissions import MANAGE, USE
from helpdesk_surveys.personal import erase_personal_data, export_personal_data

from helpdesk.api import Event, Refused, Ticket, User, allowed, db, now, solve, tag, transaction

Make = Callable[..., Survey]


@pytest.mark.db
def test_an_anonymous_answer_leads_to_nobody(
    survey: Make, make_ticket: Any, make_user: Any, make_team: Any, agent: User, boss: User, run_jobs: Any,
    travel: Any,
) -> None:  # fmt: skip
    """No person, ticket, agent or moment; nobody sees who answered; small groups show nothing, in lists neither."""
    made = survey(anonymous=True, min_group=3, closes_days=5, reminder_days=0)
    phones, lone = make_team("Phones", members=[agent]), make_team("Lone")
    people = [make_user(name=f"Person {number}") for number in range(4)]
    for number, person in enumerate(people):
        team = lone if number == 3 else phones
        solve(make_ticket(f"Ticket {number}", requester=person, assignee=agent, team=team), agent)
    run_jobs()
    travel(hours=3)
    run_jobs()
    sent = db.session.scalars(db.select(Invitation).order_by(Invitation.id)).all()
    links = [token(one) for one in sent]
    asked = open_link(links[0])
    assert (asked.person_name, asked.ticket, asked.person) == ("", None, None)
    today = now().astimezone(UTC).date()
    wanted = Wanted(made.id, today - timedelta(days=20), today)
    for text in links[:2]:
        answer(open_link(text), 1, "Only I write so.")
    few = board(boss, made, wanted)
    assert few.total.hidden and few.total.value is None and few.total.answers == 0
    assert listing.answers(boss, wanted).rows == [] and listing.answers(boss, wanted).hidden
    first = db.session.scalar(db.select(db.func.min(Response.id)))
    assert listing.response(boss, first) is None
    for text in links[2:]:
        answer(open_link(text), 5)
    answer(open_link(links[0]), 2)
    rows = db.session.scalars(db.select(Response).order_by(Response.id)).all()
    assert {(row.user_id, row.ticket_id, row.agent_id, row.invitation_id) for row in rows} == {(None,) * 4}
    assert {row.answered_at for row in rows} == {row.changed_at for row in rows} == {week_of(now())}
    assert [one.state for one in sent] == [SENT] * 4 and rows[0].score == 2
    assert db.session.scalar(db.select(Event.id).where(Event.kind == "surveys.given")) is None
    seen = board(boss, made, wanted)
    assert (seen.total.answers, seen.total.value) == (4, 50)
    # Phones have three and could be shown; what is left of the whole would be the one of the other team.
    assert [one.hidden for _key, _name, one in seen.by["team"]] == [True, True]
    assert board(agent, made, wanted).total.answers == 0
    for team in (lone, phones):
        one_team = Wanted(made.id, wanted.first, today, team=team.id)
        assert listing.answers(boss, one_team).hidden and board(boss, made, one_team).total.hidden
    assert len(listing.answers(boss, wanted, 5).rows) == 2
    assert listing.answers(boss, Wanted(None, wanted.first, today)).rows == []
    assert [line.split(",")[2:3] + line.split(",")[6:] for line in answers_csv(boss, wanted)][1:] == [
        ["", "", "", "", "", "", "\r\n"]
    ] * 4
    assert (
        listing.response(boss, rows[0].id).comment == "Only I write so." and listing.response(agent, rows[0].id) is None
    )
    assert "answers" not in {key for key, value in export_personal_data(people[0]).items() if value}
    travel(days=6)
    run_jobs()
    db.session.expire_all()
    assert {row.ballot for row in db.session.scalars(db.select(Response))} == {None}
    assert {one.state for one in db.session.scalars(db.select(Invitation))} == {CLOSED}
    late = open_link(links[0])
    assert late.state == "closed" and late.response is None
    with pytest.raises(Refused):
        answer(late, 5)


def test_a_person_is_exported_and_erased(
    survey: Make, solved: Any, ticket: Ticket, anna: User, agent: User, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    """The score stays and is nobody's; words, links and the log go; the old link opens nothing."""
    survey(skip_tags=["vip"])
    one = solved()
    text = token(one)
    answer(open_link(text), 2, "My name is Anna.")
    other = make_ticket("Another", requester=anna, assignee=agent)
    tag(other, ["vip"], None)
    solve(other, agent)
    run_jobs()
    travel(hours=3)
    run_jobs()
    found = export_personal_data(anna)
    assert found["answers"][0]["comment"] == "My name is Anna." and found["asked"][0]["survey"] == "How was it?"
    assert [row["why"] for row in found["not_asked"]] == ["tag"] and export_personal_data(agent) == {}
    with transaction():
        erase_personal_data(anna)
    db.session.expire_all()
    (kept,) = db.session.scalars(db.select(Response)).all()
    assert (kept.score, kept.comment, kept.user_id, kept.ticket_id) == (2, "", None, None)
    assert export_personal_data(anna) == {} and open_link(text) is None
    assert db.session.scalar(db.select(db.func.count()).select_from(Suppression)) == 0
    said = db.session.scalars(db.select(Event).where(Event.kind == "surveys.given")).all()
    assert [event.data.get("score") for event in said] == [None]


def test_who_may_do_what(app: Any, make_user: Any) -> None:
    for role, rights in (
        ("requester", (False, False)),
        ("agent", (True, False)),
        ("supervisor", (True, True)),
        ("admin", (True, True)),
    ):
        user = make_user(role)
        assert (allowed(user, USE), allowed(user, MANAGE)) == rights
