"""What falls due: caps, quiet hours, exclusions, languages, reminders, the end. register_settings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpdesk_surveys import counting, sending, surveys
from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.clocks import out_of_quiet
from helpdesk_surveys.links import token
from helpdesk_surveys.models import CLOSED, PLANNED, SENT, SUPPRESSED, Invitation, Suppression, Survey
from helpdesk_surveys.settings import SurveySettings

from helpdesk.api import Ticket, User, db, hookimpl, now, solve, tag, transaction

Make = Callable[..., Survey]


def states() -> list[str]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(Invitation.state).order_by(Invitation.id)))


def whys() -> list[str]:
    return list(db.session.scalars(db.select(Suppression.why).order_by(Suppression.id)))


def test_the_mail_asks_in_the_persons_language(
    survey: Make, ticket: Ticket, anna: User, solved: Any, mails: Any
) -> None:
    """A link for each score, the question in the owner's words of that language, until when."""
    texts = {"texts": {"question": {"es": "¿Qué tal?", "en": "How was it?"}}, "items": []}
    survey(texts=texts)
    with transaction():
        anna.locale = "es"
    one = solved()
    assert (one.state, one.language) == (SENT, "es") and one.closes_at == one.sent_at + timedelta(days=14)
    (mail,) = mails()
    assert "¿Qué tal?" in mail["text"] and mail["link"].endswith(token(one))
    assert [f"?score={score}" in mail["text"] for score in range(7)] == [False, True, True, True, True, True, False]


@pytest.mark.db
def test_the_cap_is_for_one_person_over_all_surveys(
    survey: Make, make_ticket: Any, anna: User, make_user: Any, agent: User, run_jobs: Any, travel: Any, configure: Any
) -> None:
    """Two surveys and two tickets in one batch send one mail; after the days of the cap another."""
    configure(SurveySettings, cap_days=30)
    survey()
    survey(name="And this?", kind="ces")
    for number in range(2):
        solve(make_ticket(f"Ticket {number}", requester=anna, assignee=agent), agent)
    solve(make_ticket("Other", requester=make_user(name="Otto"), assignee=agent), agent)
    run_jobs()
    assert states() == [PLANNED] * 6
    travel(hours=3)
    run_jobs()
    assert sorted(states()) == [SENT] * 2 + [SUPPRESSED] * 4 and whys() == ["cap"] * 4
    travel(days=31)
    solve(make_ticket("Later", requester=anna, assignee=agent), agent)
    run_jobs()
    travel(hours=3)
    run_jobs()
    assert sorted(states()) == [CLOSED] * 2 + [SENT] + [SUPPRESSED] * 5


def test_who_is_left_out_is_logged(
    survey: Make, make_ticket: Any, make_user: Any, agent: User, run_jobs: Any, travel: Any, plug: Any
) -> None:
    """A tag, an open complaint, no wish for such mails, no address, one that bounces, another plugin; and each why."""
    survey(skip_tags=["VIP"])
    people = {
        name: make_user(name=name)
        for name in ("tag", "complaint", "care", "bounced", "off", "plugin", "merged", "fine")
    }
    tickets = {name: make_ticket(name, requester=person, assignee=agent) for name, person in people.items()}
    tag(tickets["tag"], ["vip"], None)
    tag(make_ticket("Bad", requester=people["complaint"]), ["complaint"], None)
    for one in tickets.values():
        solve(one, agent)
    refused = people["plugin"].id

    @hookimpl(optionalhook=True)
    def surveys_before_sent(person_id: int) -> str | None:
        return "They are in court with us." if person_id == refused else None

    plug("probe", surveys_before_sent=surveys_before_sent)
    with transaction():
        people["care"].care_mail = False
        people["bounced"].bounced_at = now()
        people["off"].active = False
    run_jobs()
    with transaction():
        tickets["merged"].merged_into_id = tickets["fine"].id
    travel(hours=3)
    run_jobs()
    assert states() == [SUPPRESSED] * 7 + [SENT]
    assert whys() == ["tag", "complaint", "opted_out", "bounced", "inactive", "refused", "merged"]
    last = db.session.scalar(db.select(Suppression).where(Suppression.why == "refused"))
    assert last.words == "They are in court with us." and last.user_id == refused


def test_nothing_is_sent_in_quiet_hours(
    survey: Make, ticket: Ticket, anna: User, agent: User, run_jobs: Any, travel: Any
) -> None:
    """By the clock of the person; across midnight; what has waited is sent in the morning."""
    made = survey(quiet_from=20, quiet_until=8)
    with transaction():
        anna.time_zone = "Asia/Shanghai"
    evening = (now() + timedelta(days=1)).astimezone(UTC).replace(hour=11, minute=30, second=0, microsecond=0)
    travel(to=evening)
    solve(ticket, agent)
    run_jobs()
    # Half past nine in the evening, in Shanghai.
    travel(to=evening + timedelta(hours=2))
    run_jobs()
    assert states() == [PLANNED]
    travel(to=evening + timedelta(hours=12))
    run_jobs()
    assert states() == [PLANNED]
    travel(to=evening + timedelta(hours=12, minutes=31))
    run_jobs()
    assert states() == [SENT]
    noon = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    with transaction():
        anna.time_zone, made.quiet_from, made.quiet_until = "Europe/Berlin", 1, 5
    # The clocks go forward in that night.
    assert out_of_quiet(made, anna, noon) == datetime(2026, 3, 29, 3, 0, tzinfo=UTC)
    with transaction():
        anna.time_zone = "Nowhere/At all"
    assert out_of_quiet(made, anna, noon) == noon


def test_one_reminder_then_it_closes(survey: Make, solved: Any, mails: Any, travel: Any, run_jobs: Any) -> None:
    survey(reminder_days=3, closes_days=10)
    one = solved()
    travel(days=3, hours=1)
    run_jobs()
    run_jobs()
    assert [mail["subject"].startswith("Reminder") for mail in mails()] == [False, True]
    assert mails()[1]["link"] == mails()[0]["link"]
    travel(days=8)
    run_jobs()
    db.session.refresh(one)
    assert (one.state, one.due_at, len(mails())) == (CLOSED, None, 2)


def test_who_has_answered_is_not_reminded(survey: Make, solved: Any, mails: Any, travel: Any, run_jobs: Any) -> None:
    survey(reminder_days=3)
    one = solved()
    answer(open_link(token(one)), 5)
    travel(days=4)
    run_jobs()
    assert len(mails()) == 1
    travel(days=20)
    run_jobs()
    assert states() == [CLOSED]


def test_a_survey_edited_while_it_runs(
    survey: Make, ticket: Ticket, solved: Any, agent: User, make_ticket: Any, make_user: Any
) -> None:
    """Who was asked keeps the questions of then; the next one gets the new ones; switched off nobody is asked."""
    made = survey(texts={"texts": {"question": {"en": "Old?"}}, "items": []})
    first = solved()
    surveys.save_texts(made, {"texts": {"question": {"en": "New?"}}, "items": []}, None)
    same = surveys.publish_version(made, None)
    assert surveys.publish_version(made, None).id == same.id and same.number == 2
    second = solved(make_ticket("Another", requester=make_user(name="Otto")))
    assert (first.version.number, second.version.number) == (1, 2)
    assert open_link(token(first)).version.questions["texts"]["question"] == {"en": "Old?"}
    answer(open_link(token(first)), 4)
    third = make_ticket("Third", requester=make_user(name="Tina"))
    surveys.switch(made, False, None)
    # Planned before it was switched off.
    with transaction():
        surveys.switch(made, True, None)
    solve(third, agent)
    surveys.switch(made, False, None)
    assert answer(open_link(token(second)), 2).version_id == same.id


def test_a_batch_asks_as_often_for_many_and_one_that_is_broken_holds_up_no_other(
    survey: Make, make_ticket: Any, make_user: Any, agent: User, run_jobs: Any, travel: Any, monkeypatch: Any
) -> None:
    survey()
    for number in range(3):
        solve(make_ticket(f"Ticket {number}", requester=make_user(name=f"P{number}"), assignee=agent), agent)
    run_jobs()
    travel(hours=3)
    real, broken = sending.mails.invite, db.session.scalar(db.select(db.func.min(Invitation.id)))

    def invite(invitation: Invitation, *rest: Any) -> Any:
        if invitation.id == broken:
            raise LookupError("This one is broken.")
        return real(invitation, *rest)

    monkeypatch.setattr(sending.mails, "invite", invite)
    run_jobs()
    assert states() == [PLANNED, SENT, SENT]
    monkeypatch.undo()
    travel(minutes=11)
    run_jobs()
    assert states() == [SENT] * 3
    total = db.session.scalar(db.select(db.func.sum(counting.Day.invitations)).where(counting.Day.cut == "total"))
    assert total == 3
