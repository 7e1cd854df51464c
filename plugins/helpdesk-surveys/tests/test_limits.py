"""What must not be found out, done twice or chosen: looked for by somebody who wants to."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from helpdesk_surveys import counting, listing, rhythm, surveys
from helpdesk_surveys.answering import answer, open_link
from helpdesk_surveys.figures import Wanted, board
from helpdesk_surveys.invitations import invite
from helpdesk_surveys.links import token
from helpdesk_surveys.models import CES, LINK, RHYTHM, Day, Invitation, Response, Suppression, Survey
from helpdesk_surveys.sending import see_to
from helpdesk_surveys.settings import SurveySettings

from helpdesk.api import Event, Invalid, Refused, Ticket, User, db, now, reopen, solve, tag, transaction

Make = Callable[..., Survey]


def _answers() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Response)) or 0


def test_an_anonymous_paper_counts_once_however_its_link_is_written(survey: Make, solved: Any) -> None:
    """Zeros in front and capitals are the same link, so the same answer."""
    survey(anonymous=True, min_group=2)
    number, _dash, signature = token(solved()).partition("-")
    for text in (f"{number}-{signature}", f"0{number}-{signature}", f"{number.zfill(8)}-{signature}".upper()):
        answer(open_link(text), 4)
    assert _answers() == 1


def test_nothing_that_is_kept_of_an_anonymous_answer_has_a_moment(survey: Make, solved: Any) -> None:
    """Neither its own columns lead to the invitation, nor does an event say when it was given."""
    survey(anonymous=True, min_group=2)
    one = solved()
    answer(open_link(token(one)), 4)
    response = db.session.scalars(db.select(Response)).one()
    assert response.ballot_until > one.closes_at
    assert (response.ballot_until - response.answered_at) % timedelta(days=7) == timedelta(0)
    assert db.session.scalar(db.select(Event.id).where(Event.kind == "surveys_answered")) is None


@pytest.fixture
def crowd(
    survey: Make, make_user: Any, make_ticket: Any, make_team: Any, agent: User, run_jobs: Any, travel: Any
) -> Any:
    """An anonymous survey with a minimum of three, answered by so many of each (team, tag, language)."""

    def make(groups: dict[tuple[str, str, str], int]) -> tuple[Survey, dict[str, int]]:
        made = survey(anonymous=True, min_group=3, reminder_days=0)
        teams = {name: make_team(name) for name in sorted({name for name, _tag, _language in groups})}
        for (team, name, language), number in groups.items():
            for _one in range(number):
                person = make_user(locale=language)
                ticket = make_ticket("A question", requester=person, assignee=agent, team=teams[team])
                if name:
                    tag(ticket, [name], None)
                solve(ticket, agent)
        run_jobs()
        travel(hours=3)
        run_jobs()
        for invitation in db.session.scalars(db.select(Invitation).order_by(Invitation.id)).all():
            answer(open_link(token(invitation)), 3, "Some words")
        return made, {name: team.id for name, team in teams.items()}

    return make


def test_no_two_views_of_an_anonymous_survey_differ_by_a_few(crowd: Any, boss: User) -> None:
    """Whoever narrows twice, or compares two lists, learns of no group that is too small."""
    made, teams = crowd(
        {("Phones", "vip", "en"): 4, ("Phones", "vip", "es"): 1, ("Letters", "vip", "en"): 3, ("Lone", "", "es"): 2}
    )
    today = now().astimezone(UTC).date()

    def wanted(**values: Any) -> Wanted:
        return Wanted(made.id, today - timedelta(days=20), today, **values)

    whole = board(boss, made, wanted())
    assert whole.total.answers == 10
    # Eight of ten have the tag: the two others are the whole less these.
    assert [one.hidden for _key, _name, one in whole.by["tag"]] == [True]
    # Lone would be what Phones and Letters leave, so Letters is hidden with it, and alone as well.
    shown = {name: one.hidden for _key, name, one in whole.by["team"]}
    assert shown == {"Phones": False, "Letters": True, "Lone": True}
    assert board(boss, made, wanted(team=teams["Letters"])).total.hidden
    # The five of one team may be seen together, but not four of them by another sign.
    one_team = board(boss, made, wanted(team=teams["Phones"]))
    assert one_team.total.answers == 5 and not any(one_team.by.values()) and one_team.trend == []
    assert board(boss, made, wanted(team=teams["Phones"], language="en")).total.hidden
    assert board(boss, made, wanted(team=teams["Phones"], language="en")).trend == []
    # Answers of two lists could be compared one by one.
    for narrowed in (wanted(team=teams["Phones"]), wanted(language="en"), wanted(tag="vip")):
        assert listing.answers(boss, narrowed).hidden
    assert len(listing.answers(boss, wanted()).rows) == 10
    # One answer of a week ago: neither its week nor the other one is shown, since the whole is.
    with transaction():
        late = db.session.scalar(db.select(Response).order_by(Response.id).limit(1))
        late.answered_at -= timedelta(days=7)
    counting.recount(made.id)
    assert [
        one.figure.hidden for one in board(boss, made, wanted()).trend if one.figure.invited or one.figure.small
    ] == [
        True,
        True,
    ]


def test_agents_do_not_see_the_scores_of_others_beside_a_person(
    survey: Make, solved: Any, anna: User, agent: User, make_user: Any, sign_in: Any
) -> None:
    survey()
    answer(open_link(token(solved())), 2)
    assert "2 of 5" in sign_in(agent).get(f"/desk/people/{anna.id}").text
    page = sign_in(make_user("agent", name="Otto Other")).get(f"/desk/people/{anna.id}").text
    assert "How was it?" in page and "2 of 5" not in page


def test_nobody_asks_about_their_own_work_whatever_is_measured(
    survey: Make, make_user: Any, make_ticket: Any, anna: User
) -> None:
    made = survey(kind=CES)
    chief = make_user("supervisor")
    own = make_ticket("Mine", requester=anna, assignee=chief)
    with pytest.raises(Refused):
        invite(made, anna, own, chief)
    assert db.session.scalars(db.select(Suppression.why)).all() == ["own"]


def test_the_smallest_group_that_was_promised_only_grows(survey: Make, solved: Any, boss: User) -> None:
    made = survey(anonymous=True, min_group=10)
    solved()
    surveys.save(made, {"min_group": 12}, boss)
    with pytest.raises(Invalid) as problem:
        surveys.save(made, {"min_group": 2}, boss)
    assert problem.value.field == "min_group"


def test_a_rhythm_plans_nobody_twice_and_counts_under_its_team(
    survey: Make, anna: User, make_ticket: Any, make_team: Any, make_user: Any, agent: User
) -> None:
    """Two who plan at a time have read the same people; a later ticket of another team is not this survey's."""
    phones, other = make_team("Phones"), make_team("Other")
    make_ticket("Mine", requester=anna, assignee=agent, team=phones)
    make_ticket("Another", requester=anna, assignee=make_user("agent"), team=other)
    made = survey(occasion=RHYTHM, team_id=phones.id)
    people = rhythm.turn(made.id, 0)
    for _time in range(2):
        with transaction():
            rhythm.add(made.id, people)
    (one,) = db.session.scalars(db.select(Invitation)).all()
    assert (one.user_id, one.team_id, one.agent_id) == (anna.id, phones.id, agent.id)


@pytest.mark.parametrize("what", ["complaint", "reopened", "opted_out"])
def test_no_reminder_while_something_is_wrong(
    what: str, survey: Make, solved: Any, ticket: Ticket, anna: User, make_ticket: Any, mails: Any, travel: Any
) -> None:
    """A complaint that came after the mail, or a ticket that is open again, is no time to be asked once more."""
    survey()
    one = solved()
    if what == "complaint":
        tag(make_ticket("I am angry", requester=anna), ["complaint"], None)
    elif what == "reopened":
        reopen(ticket, anna)
    else:
        with transaction():
            anna.care_mail = False
    travel(days=4)
    with transaction():
        see_to([one.id], now())
    db.session.expire_all()
    assert len(mails()) == 1 and one.reminded_at is None and one.due_at == one.closes_at


def test_a_scale_that_was_answered_is_still_chosen_when_the_answer_is_changed(
    survey: Make, solved: Any, client: Any
) -> None:
    """Kept as a number, shown as chosen: who changes only the comment loses nothing."""
    survey({"items": [{"key": "q1", "kind": "scale", "most": 5, "page": 1, "text": {"en": "How good?"}}]})
    path = f"/p/surveys/a/{token(solved())}"
    assert client.post(path, data={"step": "0", "score": "4", "q1": "3"}).status_code == 303
    page = client.get(f"{path}?change=1").text
    assert re.findall(r'name="(\w+)" value="(\d)" checked', page) == [("score", "4"), ("q1", "3")]


def test_the_page_says_the_same_last_day_as_the_mail(
    survey: Make, solved: Any, anna: User, client: Any, mails: Any
) -> None:
    """By the clock of who was asked: far in the east the next day has come already, or far in the west not yet."""
    survey()
    one = solved()
    path = f"/p/surveys/a/{token(one)}"
    answer(open_link(token(one)), 4)
    for zone, hour in (("Pacific/Kiritimati", 12), ("Pacific/Pago_Pago", 3)):
        with transaction():
            anna.time_zone = zone
            one.closes_at = one.closes_at.replace(hour=hour)
        local = one.closes_at.astimezone(ZoneInfo(zone)).date()
        assert local != one.closes_at.date()
        assert f"You can change it until {local:%b} {local.day}" in client.get(path).text


@pytest.mark.db
def test_many_who_send_at_the_same_moment_are_counted_once(
    survey: Make, solved: Any, app: Any, boss: User, configure: Any
) -> None:
    """By the link of one person, of an anonymous paper, and of the same form of a link for everybody."""
    configure(SurveySettings, cap_most=9)
    kinds = [survey(name="Named"), survey(name="Secret", anonymous=True, min_group=2)]
    open_to_all = survey(name="Open", occasion=LINK)
    solved()
    every = db.session.scalars(db.select(Invitation)).all()
    paths = [f"/p/surveys/a/{token(one)}" for one in every] + [f"/p/surveys/l/{open_to_all.link_key}"]
    form = {"step": "0", "nonce": "a" * 32}
    work = [(path, {**form, "score": str(number % 5 + 1)}) for path in paths for number in range(4)]
    db.session.rollback()
    with ThreadPoolExecutor(len(work)) as pool:
        codes = list(pool.map(lambda one: app.test_client().post(one[0], data=one[1]).status_code, work))
    db.session.rollback()
    assert set(codes) == {303} and _answers() == len(paths) == 3
    for one in (*kinds, open_to_all):
        kept = _days(one)
        counting.recount(one.id)
        assert _days(one) == kept


def _days(one: Survey) -> set[tuple[Any, ...]]:
    """What is counted under each key, but where everything was taken away again."""
    names = (*counting.KEY, *counting.NUMBERS)
    rows = db.session.execute(db.select(*(getattr(Day, name) for name in names)).where(Day.survey_id == one.id))
    return {tuple(row) for row in rows if any(row[len(counting.KEY) :])}


def test_the_link_of_an_anonymous_mail_shows_nobody_what_was_answered(survey: Make, solved: Any, client: Any) -> None:
    """Passed on, or found where mails are kept, it only takes an answer; its owner may still give another."""
    survey(anonymous=True, min_group=2)
    path = f"/p/surveys/a/{token(solved())}"
    thanks = client.post(path, data={"step": "0", "score": "2", "comment": "Zinnober"}, follow_redirects=True)
    assert thanks.status_code == 200 and "Thank you" in thanks.text and "Change my answer" in thanks.text
    for page in (thanks.text, client.get(f"{path}?change=1").text, client.get(f"{path}?score=4").text):
        assert "Zinnober" not in page and "Dissatisfied</strong>" not in page and 'value="2" checked' not in page
    assert client.post(path, data={"step": "0", "score": "5"}).status_code == 303
    assert db.session.scalars(db.select(Response.score)).all() == [5]


def test_the_team_that_a_rule_names_sees_and_marks_its_follow_up(
    survey: Make, solved: Any, make_team: Any, make_user: Any, travel: Any, run_jobs: Any, sign_in: Any
) -> None:
    """Its supervisors are told, so they can say that the customer was contacted; those of a third team cannot."""
    care, third = make_team("Care"), make_team("Third")
    chief, stranger = make_user("supervisor", teams=[care]), make_user("supervisor", teams=[third])
    survey(rules=[{"least": 1, "most": 2, "do": "ticket", "team_id": care.id, "tag": ""}])
    answer(open_link(token(solved())), 1, "Zinnober")
    travel(minutes=6)
    run_jobs()
    (one,) = listing.follow_ups(chief).rows
    for user, code in ((chief, 200), (stranger, 404)):
        assert sign_in(user).get(f"/p/surveys/answers/{one.response_id}").status_code == code
    assert listing.follow_ups(stranger).rows == [] and listing.follow_up(stranger, one.id) is None
    marked = sign_in(chief).post(f"/p/surveys/follow-ups/{one.id}", data={"state": "contacted"})
    assert marked.status_code == 303
    # The figures stay those of their own team.
    today = now().astimezone(UTC).date()
    assert board(chief, one.response.survey, Wanted(one.response.survey_id, today, today)).total.answers == 0


def test_a_link_for_everybody_speaks_the_language_of_who_opens_it(survey: Make, client: Any) -> None:
    """And the answer is counted under it."""
    made = survey({"texts": {"question": {"en": "How was the day?", "es": "¿Qué tal el día?"}}}, occasion=LINK)
    path, spanish = f"/p/surveys/l/{made.link_key}", {"Accept-Language": "es"}
    assert "¿Qué tal el día?" in client.get(path, headers=spanish).text
    assert "How was the day?" in client.get(path, headers={"Accept-Language": "en"}).text
    sent = client.post(path, data={"step": "0", "score": "4", "nonce": "b" * 32}, headers=spanish)
    assert sent.status_code == 303
    assert db.session.scalars(db.select(Response.language)).all() == ["es"]
    surveys.save_texts(made, {"texts": {}, "items": [{"key": "q1", "kind": "text", "text": {"en": "More?"}}]}, None)
    surveys.publish_version(made, None)
    again = {"step": "0", "score": "5", "nonce": "b" * 32, "q1": "Never asked"}
    assert client.post(path, data=again, headers=spanish).status_code == 303
    kept = db.session.scalars(db.select(Response)).one()
    assert (kept.score, kept.version.number, kept.answers) == (5, 1, {})
