"""Who is given what: by hand, by path, by oneself, by rules, after low answers; what falls due; moved and left."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from helpdesk_training import (
    applying,
    assigning,
    certificates,
    editing,
    figures,
    grading,
    keeping,
    learning,
    moments,
    paths,
    rules,
)
from helpdesk_training.models import Assignment, Certificate, LowAnswer, Path, Rule
from helpdesk_training.settings import TrainingSettings
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Event, Invalid, NotAllowed, Refused, User, db, now, tag, transaction


@pytest.fixture
def week(course: Any) -> Path:
    """A first week: two courses, the second by the fifth day."""
    first, second = course("Welcome"), course("Tools")
    items = [{"course_id": first.id, "due_days": 1}, {"course_id": second.id, "due_days": 5}]
    return paths.save(None, {"name": "First week", "items": items}, None)


def _all() -> list[tuple[int, str, str, str]]:
    rows = db.session.scalars(db.select(Assignment).order_by(Assignment.id).execution_options(populate_existing=True))
    return [(one.user_id, one.course.name, one.why, one.state) for one in rows]


def _answered(score: int, ticket: Any, response_id: int = 1, kind: str = "csat") -> None:
    with transaction():
        applying.surveys_answered(response_id=response_id, kind=kind, score=score, ticket_id=ticket.id)


# ---- by hand


def test_people_are_given_a_course_and_told_in_one_mail(course: Any, agent: User, chief: User, mails: Any) -> None:
    due = now() + timedelta(days=10)
    (one,) = assigning.assign([agent], course(), chief, due_at=due, words="For Monday")
    assert (one.state, one.due_at, one.assigned_by_id) == ("assigned", due, chief.id)
    assert one.next_at == due - timedelta(days=3)
    assert mails() == [("abe@desk.example", "A course for you: Refunds")]


def test_what_cannot_be_given_is_refused(course: Any, agent: User, chief: User, make_user: Any) -> None:
    made, draft = course(), course("Draft", published=False)
    stranger, customer, gone = make_user("agent", name="Of elsewhere"), make_user(), make_user("agent", active=False)
    for people, what, more, field in (
        ([], made, {}, "people"),
        ([stranger], made, {}, "people"),
        ([customer], made, {}, "people"),
        ([gone], made, {}, "people"),
        ([agent], draft, {}, "course"),
        ([agent], made, {"due_at": now() - timedelta(days=1)}, "due_at"),
        ([agent], made, {"words": "x" * 2_001}, "words"),
    ):
        actor = None if people in ([customer], [gone]) else chief
        with pytest.raises(Invalid) as error:
            assigning.assign(people, what, actor, **more)
        assert error.value.field == field
    with pytest.raises(NotAllowed):
        assigning.assign([agent], made, agent)
    assert _all() == []


def test_two_supervisors_giving_the_same_give_it_once(app: Any, course: Any, agent: User, chief: User) -> None:
    made = course()
    numbers = agent.id, made.id
    db.session.commit()

    def give(_number: int) -> int:
        with app.app_context():
            person = db.session.get_one(User, numbers[0])
            return len(assigning.assign([person], db.session.get_one(type(made), numbers[1]), None))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(give, range(4))) == [0, 0, 0, 1]
    assert len(_all()) == 1


def test_a_path_gives_its_courses_by_their_days(week: Path, agent: User, chief: User, mails: Any) -> None:
    found = assigning.assign_path([agent], week, chief)
    begin = found[0].assigned_at
    assert [(one.course.name, round((one.due_at - begin) / timedelta(days=1))) for one in found] == [
        ("Welcome", 1),
        ("Tools", 5),
    ]
    assert mails() == [("abe@desk.example", "2 courses for you")]
    assert assigning.assign_path([agent], week, chief) == []
    paths.save(week, {"active": False}, chief)
    with pytest.raises(Invalid):
        assigning.assign_path([agent], week, chief)


@pytest.mark.parametrize("items", [[], [{"course_id": 1}, {"course_id": 1}], [{"course_id": 99}],
                                   [{"course_id": 1, "due_days": -1}]])  # fmt: skip
def test_paths_that_cannot_be(course: Any, items: Any, agent: User) -> None:
    course()
    with pytest.raises(Invalid) as error:
        paths.save(None, {"name": "Path", "items": items}, None)
    assert error.value.field == "items"
    with pytest.raises(NotAllowed):
        paths.save(None, {"name": "Path", "items": [{"course_id": 1}]}, agent)


def test_one_takes_a_course_of_ones_own_accord(course: Any, agent: User, mails: Any, complete: Any) -> None:
    made, closed = course(), course("By invitation", self_service=False)
    mine = assigning.enroll(agent, made)
    assert (mine.why, mine.due_at, mails()) == ("self", None, [])
    assert assigning.enroll(agent, made).id == mine.id
    with pytest.raises(Refused):
        assigning.enroll(agent, closed)
    assigning.withdraw(mine, "", agent)  # what one has taken oneself one may put down
    assert mine.state == "withdrawn"


# ---- what falls due


def test_reminded_late_and_told_to_the_supervisor_once_each(
    course: Any, agent: User, chief: User, make_user: Any, mails: Any, travel: Any, run_jobs: Any
) -> None:
    make_user("supervisor", name="Of no team", email="no@desk.example")
    assigning.assign([agent], course(), None, due_at=now() + timedelta(days=10))
    seen = len(mails())
    for days, wanted in (
        (6, []),
        (1.5, [("abe@desk.example", "Due soon: Refunds")]),
        (3, [("abe@desk.example", "Late: Refunds")]),
        (2, [("cho@desk.example", "A course of your team is late")]),
        (30, []),
    ):
        travel(days=days)
        run_jobs()
        keeping.look_now()
        assert mails()[seen:] == wanted
        seen = len(mails())
    db.session.expire_all()
    assert db.session.scalars(db.select(Assignment.next_at)).all() == [None]


def test_a_desk_that_was_down_says_it_is_late_and_reminds_no_more(
    course: Any, agent: User, mails: Any, travel: Any
) -> None:
    assigning.assign([agent], course(), None, due_at=now() + timedelta(days=10))
    travel(days=40)
    seen = len(mails())
    keeping.look_now()
    assert [subject for _to, subject in mails()[seen:]][:1] == ["Late: Refunds"]
    assert "Due soon: Refunds" not in [subject for _to, subject in mails()]


def test_done_in_time_nobody_hears_of_it(course: Any, complete: Any, mails: Any, travel: Any) -> None:
    complete(due_at=now() + timedelta(days=5))
    seen = len(mails())
    travel(days=30)
    assert keeping.look_now() == 0 and mails()[seen:] == []


def test_who_left_is_told_nothing_and_owes_nothing(course: Any, agent: User, mails: Any, travel: Any) -> None:
    (one,) = assigning.assign([agent], course(), None, due_at=now() + timedelta(days=2))
    with transaction():
        agent.active = False
    seen = len(mails())
    travel(days=3)
    keeping.look_now()
    db.session.expire_all()
    assert (one.state, one.next_at, mails()[seen:]) == ("withdrawn", None, [])


def test_another_day_begins_all_of_it_anew(course: Any, agent: User, chief: User, travel: Any) -> None:
    (one,) = assigning.assign([agent], course(), None, due_at=now() + timedelta(days=2))
    travel(days=10)
    keeping.look_now()
    later = now() + timedelta(days=20)
    assigning.set_due(one, later, chief)
    assert (one.late_at, one.next_at) == (None, later - timedelta(days=3))
    assigning.set_due(one, None, chief)
    assert one.next_at is None
    with pytest.raises(NotAllowed):
        assigning.set_due(one, later, agent)


@given(
    due=st.integers(0, 60), given_at=st.integers(0, 60), reminded=st.booleans(), late=st.booleans(),
    escalated=st.booleans(), state=st.sampled_from(["assigned", "begun", "waiting", "done", "withdrawn", "failed"]),
)  # fmt: skip
def test_an_assignment_has_one_next_moment_at_most_and_comes_to_rest(
    due: int, given_at: int, reminded: bool, late: bool, escalated: bool, state: str
) -> None:
    """Whatever has happened: following the moments from one to the next ends, and only what is open has one."""
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    one = Assignment(state=state, due_at=start + timedelta(days=due), assigned_at=start + timedelta(days=given_at))
    one.reminded_at, one.late_at, one.escalated_at = (start if it else None for it in (reminded, late, escalated))
    for _turn in range(4):
        moment = moments.next_of(one, TrainingSettings())
        if moment is None:
            break
        assert one.is_open and not escalated
        if moment < one.due_at:
            one.reminded_at = moment
        elif one.late_at is None:
            one.late_at = moment
        else:
            one.escalated_at = moment
    assert moments.next_of(one, TrainingSettings()) is None


@pytest.mark.parametrize("died_at", [1, 2, 3])
def test_killed_while_people_are_told_each_is_told_once(
    course: Any, make_user: Any, mails: Any, travel: Any, monkeypatch: Any, died_at: int
) -> None:
    people = [make_user("agent", name=f"A {each}", email=f"a{each}@desk.example") for each in range(3)]
    assigning.assign(people, course(), None, due_at=now() + timedelta(days=5))
    travel(days=6)
    seen, tell, told = len(mails()), keeping.mails.late, []

    def killed(one: Assignment) -> None:
        tell(one)
        told.append(one.id)
        if len(told) == died_at:
            raise SystemExit

    monkeypatch.setattr(keeping, "BATCH", 2)
    monkeypatch.setattr(keeping.mails, "late", killed)
    with pytest.raises(SystemExit):
        keeping.look_now()
    db.session.rollback()
    # A batch that was over stays; of the one that was not, nobody was told.
    assert len(mails()[seen:]) == (died_at - 1) // 2 * 2
    keeping.look_now()
    assert sorted(mails()[seen:]) == [(f"a{each}@desk.example", "Late: Refunds") for each in range(3)]


# ---- rules


def test_a_rule_of_a_team_gives_each_member_once_and_takes_back_from_who_moves(
    course: Any, agent: User, team: Any, make_team: Any, mails: Any
) -> None:
    rules.save(None, {"name": "All of Returns", "occasion": "team", "team_id": team.id, "course_id": course().id}, None)
    assert applying.apply_now() == 1 and applying.apply_now() == 0
    assert _all() == [(agent.id, "Refunds", "team", "assigned")] and len(mails()) == 1
    with transaction():
        agent.teams[:] = [make_team("Phones")]
    applying.apply_now()
    assert _all() == [(agent.id, "Refunds", "team", "withdrawn")]


def test_killed_while_rules_give_everybody_is_given_and_told_once(
    course: Any, agent: User, chief: User, mails: Any, monkeypatch: Any
) -> None:
    for number, role in enumerate(("agent", "supervisor")):
        values = {"name": f"R {number}", "occasion": "role", "role": role, "course_id": course(f"C {number}").id}
        rules.save(None, values, None)
    give, calls = applying.give, []

    def killed(*given_: Any) -> Any:
        calls.append(give(*given_))
        if len(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(applying, "give", killed)
    seen = len(mails())
    with pytest.raises(SystemExit):
        applying.apply_now()
    db.session.rollback()
    assert (_all(), mails()[seen:]) == ([], [])
    assert applying.apply_now() == 2 and applying.apply_now() == 0
    assert [who for who, *_rest in _all()] == [agent.id, chief.id] and len(mails()[seen:]) == 2


def test_what_was_begun_stays_with_who_moves(course: Any, agent: User, team: Any, make_team: Any) -> None:
    rules.save(None, {"name": "R", "occasion": "team", "team_id": team.id, "course_id": course().id}, None)
    applying.apply_now()
    learning.begin(db.session.scalars(db.select(Assignment)).one(), agent)
    with transaction():
        agent.teams[:] = [make_team("Phones")]
    applying.apply_now()
    assert _all() == [(agent.id, "Refunds", "team", "begun")]


def test_a_new_agent_gets_the_first_week_and_old_ones_do_not(
    week: Path, agent: User, make_user: Any, run_jobs: Any, travel: Any
) -> None:
    travel(hours=1)
    rules.save(None, {"name": "New", "occasion": "new", "role": "agent", "path_id": week.id, "course_id": None}, None)
    travel(hours=1)
    newcomer, _chief = make_user("agent", name="Nia New"), make_user("supervisor", name="New too")
    run_jobs()
    assert _all() == [(newcomer.id, "Welcome", "new", "assigned"), (newcomer.id, "Tools", "new", "assigned")]


def test_who_has_done_it_is_not_given_it_by_a_rule(course: Any, complete: Any, agent: User) -> None:
    done = complete()
    rules.save(None, {"name": "R", "occasion": "role", "role": "agent", "course_id": done.course_id}, None)
    assert applying.apply_now() == 0
    with transaction():
        agent.active = False


def test_a_group_of_another_plugin_is_given_what_a_rule_says(
    course: Any, agent: User, chief: User, monkeypatch: Any
) -> None:
    level = {"key": "career.level:2", "label": "Senior", "user_ids": [agent.id]}
    known: list[Any] = [level, "no group", {}]
    monkeypatch.setattr(rules, "collect", lambda hook: list(known) if hook == "training_groups" else [])
    assert [one["label"] for one in rules.groups()] == ["Senior"]
    values = {"name": "R", "occasion": "group", "group_key": "career.level:2", "course_id": course().id}
    rules.save(None, values, None)
    assert applying.apply_now() == 1 and _all()[0][:3] == (agent.id, "Refunds", "group")
    known.clear()
    applying.apply_now()
    assert _all()[0][3] == "assigned", "the plugin is off: who is in the group is not known"
    known.append({**level, "user_ids": []})
    applying.apply_now()
    assert _all()[0][3] == "withdrawn"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"course_id": None}, "course_id"),
        ({"path_id": 1}, "course_id"),
        ({"course_id": 99}, "course_id"),
        ({"occasion": "whenever"}, "occasion"),
        ({"occasion": "team"}, "team_id"),
        ({"occasion": "team", "team_id": 99}, "team_id"),
        ({"occasion": "group"}, "group_key"),
        ({"role": ""}, "role"),
        ({"role": "requester"}, "role"),
        ({"occasion": "low", "most": 6}, "most"),
        ({"occasion": "low", "kind": "nps", "most": 11}, "most"),
        ({"occasion": "low", "times": 0}, "times"),
        ({"occasion": "low", "tag": "x" * 60}, "tag"),
        ({"due_days": 9_999}, "due_days"),
    ],
)
def test_rules_that_cannot_be(week: Path, agent: User, values: Any, field: str) -> None:
    usual = {"name": "R", "occasion": "role", "role": "agent", "course_id": 1}
    with pytest.raises(Invalid) as error:
        rules.save(None, {**usual, **values}, None)
    assert error.value.field == field
    with pytest.raises(NotAllowed):
        rules.save(None, usual, agent)
    assert db.session.scalar(db.select(Rule.id)) is None


# ---- a low answer leads to a course


@pytest.fixture
def low(course: Any) -> Callable[..., Rule]:
    def make(**values: Any) -> Rule:
        made = course("Politeness")
        usual = {"name": "Low", "occasion": "low", "tag": "returns", "most": 2, "course_id": made.id, "due_days": 7}
        return rules.save(None, {**usual, **values}, None)

    return make


@pytest.fixture
def tagged(make_ticket: Any, agent: User) -> Callable[..., Any]:
    def make(*names: str) -> Any:
        ticket = make_ticket("Where is it?", assignee=agent)
        tag(ticket, list(names or ("returns",)), None)
        return ticket

    return make


def test_a_low_answer_on_a_tag_leads_to_a_course(low: Any, tagged: Any, agent: User, mails: Any) -> None:
    low()
    ticket = tagged()
    _answered(3, ticket, 1)
    _answered(1, tagged("phone"), 2)
    _answered(1, ticket, 3, "nps")
    assert _all() == []
    _answered(2, ticket, 4)
    _answered(1, ticket, 4)  # changed: counted once
    one = db.session.scalars(db.select(Assignment)).one()
    assert (one.why, one.ticket_id, one.user_id, one.course.name) == ("low", ticket.id, agent.id, "Politeness")
    assert round((one.due_at - one.assigned_at) / timedelta(days=1)) == 7 and mails()[-1][0] == agent.email


def test_so_many_low_answers_as_the_rule_wants_and_then_anew(low: Any, tagged: Any, agent: User, travel: Any) -> None:
    low(times=2, days=30)
    ticket = tagged()
    _answered(1, ticket, 1)
    travel(days=31)
    _answered(1, ticket, 2)
    assert _all() == []
    _answered(5, ticket, 2)  # made better: counts no more
    _answered(1, ticket, 3)
    assert _all() == [] and db.session.scalar(db.select(db.func.count()).select_from(LowAnswer)) == 2
    _answered(1, ticket, 4)
    assert len(_all()) == 1
    learning.begin(db.session.scalars(db.select(Assignment)).one(), agent)
    learning.finish_lesson(db.session.scalars(db.select(Assignment)).one(), "l1", agent)
    travel(minutes=1)
    _answered(1, ticket, 5)
    assert len(_all()) == 1
    _answered(1, ticket, 6)  # it is wanted again although it was done
    assert [state for *_rest, state in _all()] == ["done", "assigned"]


def test_nobody_is_blamed_where_nobody_has_the_ticket(low: Any, tagged: Any, agent: User) -> None:
    rule = low()
    ticket = tagged()
    with transaction():
        ticket.assignee_id = None
    _answered(1, ticket)
    rules.switch(rule, False, None)
    _answered(1, tagged(), 2)
    assert _all() == []


# ---- certificates


def test_a_certificate_asks_for_a_refresher_and_ends(
    course: Any, complete: Any, agent: User, travel: Any, mails: Any
) -> None:
    complete(course(valid_days=365, refresher_days=30))
    travel(days=336)
    keeping.look_now()
    refresher = db.session.scalars(db.select(Assignment).where(Assignment.why == "refresher")).one()
    paper = db.session.scalars(db.select(Certificate)).one()
    assert refresher.due_at == paper.expires_at
    assert mails()[-1][1] == "Your certificate runs out: Refunds"
    travel(days=30)
    keeping.look_now()
    db.session.expire_all()
    assert paper.expired_at is not None and not paper.is_valid(now())
    assert "Your certificate has run out: Refunds" in [subject for _to, subject in mails()]
    fact = db.session.scalars(db.select(Event).where(Event.kind == "training_certificate_expired")).one()
    assert (fact.data["user_id"], fact.data["revoked"]) == (agent.id, False)
    keeping.look_now()
    assert db.session.scalar(db.select(db.func.count()).where(Event.kind == "training_certificate_expired")) == 1


def test_a_renewed_certificate_ends_in_silence(course: Any, complete: Any, agent: User, travel: Any) -> None:
    complete(course(valid_days=365))
    travel(days=340)
    keeping.look_now()
    again = learning.begin(db.session.scalars(db.select(Assignment).where(Assignment.why == "refresher")).one(), agent)
    learning.finish_lesson(again, "l1", agent)
    travel(days=60)
    keeping.look_now()
    assert db.session.scalar(db.select(Event.id).where(Event.kind == "training_certificate_expired")) is None
    assert certificates.holders(again.course_id) == {agent.id}


def test_a_certificate_is_found_by_its_serial_and_revoked_with_a_reason(
    complete: Any, agent: User, chief: User
) -> None:
    complete()
    paper = certificates.of(agent.id)[0]
    assert certificates.by_serial(f" {paper.serial.lower().replace('-', ' ')}").id == paper.id
    assert certificates.by_serial("nonsense") is None
    with pytest.raises(Invalid):
        certificates.revoke(paper, " ", chief)
    with pytest.raises(NotAllowed):
        certificates.revoke(paper, "Mine", agent)
    certificates.revoke(paper, "Somebody else sat there.", chief)
    assert certificates.holders(paper.course_id) == set()
    with pytest.raises(Refused):
        certificates.revoke(paper, "Twice", chief)


def test_a_retired_course_asks_for_no_refresher(course: Any, complete: Any, travel: Any) -> None:
    made = course(valid_days=100)
    complete(made)
    editing.retire(made, None)
    travel(days=80)
    keeping.look_now()
    assert [why for _who, _name, why, _state in _all()] == ["hand"]


def test_many_fall_due_with_as_many_queries_as_few(
    course: Any, make_user: Any, chief: User, travel: Any, count_queries: Any
) -> None:
    made = course()
    counts = []
    for number in (2, 12):
        people = [make_user("agent", name=f"A {number} {each}", email=None) for each in range(number)]
        assigning.assign(people, made, None, due_at=now() + timedelta(days=5))
        travel(days=10)
        with count_queries() as seen:
            keeping.look_now()
        counts.append([one for one in seen if one.startswith("SELECT")])
    # What is written grows with the mails; what is asked does not.
    assert len(counts[1]) == len(counts[0]) <= 10


def test_nobody_takes_back_or_puts_off_what_was_given_to_them(
    course: Any, chief: User, boss: User, agent: User
) -> None:
    (mine,) = assigning.assign([chief], course(), boss)
    with pytest.raises(NotAllowed):
        assigning.withdraw(mine, "I know it.", chief)
    with pytest.raises(NotAllowed):
        assigning.set_due(mine, None, chief)
    with pytest.raises(NotAllowed):
        grading.allow_attempt(mine, chief)
    own = assigning.enroll(chief, course("Another"))
    assert assigning.withdraw(own, "Not now.", chief).state == "withdrawn", "of one's own accord it is one's own"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "x"])
@pytest.mark.parametrize("kind", ["answer", "task"])
def test_no_place_in_what_waits_is_too_odd(chief: User, moment: str, kind: str) -> None:
    assert grading.waiting(chief, f"{moment}~{kind}~1") == ([], None)
    assert figures.overdue(chief, f"{moment}~1") == ([], None)
