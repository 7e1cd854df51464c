"""What levels ask for: measured from tickets, assessments and what other plugins know; by facts, and once a night.

The hooks ticket_status_changed and ticket_assigned, and what register_jobs and register_schedules have done.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from helpdesk_career import competences, criteria, measuring, offering, progress, records
from helpdesk_career.models import Measure, Person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Ticket, assign, db, now, reopen, transaction


@pytest.fixture
def page(app: Any) -> Any:
    """As while a page is made: addresses are known there."""
    with app.test_request_context():
        yield


def line(user: Any, fresh: bool = False) -> progress.Line:
    db.session.expire_all()
    return progress.of(user, fresh=fresh).lines[0]


def test_time_in_the_level_grows_by_itself(agent: Any, levels: Any, asks: Any, travel: Any) -> None:
    asks("intermediate", ("career.time", 100))
    records.place(agent, levels["junior"], "Begun.", None, (now() - timedelta(days=90)).date())
    measuring.measure()
    assert (line(agent).value, line(agent).state, line(agent).missing) == (90.0, "short", 10.0)
    travel(days=10)
    assert (line(agent).value, line(agent).state) == (100.0, "met"), "without anything measured anew"


def test_tickets_and_reopenings_are_measured_by_what_happens(
    junior: Any, outsider: Any, asks: Any, solved: Any, run_jobs: Any, travel: Any
) -> None:
    asks("intermediate", ("career.solved", 2, "", 0, 30), ("career.reopened", 40, "", 2))
    first, second = solved(junior), solved(junior)
    travel(minutes=6)
    run_jobs()
    done, again = progress.of(junior).lines
    assert (done.value, done.state, again.value, again.count, again.state) == (2.0, "met", 0.0, 2, "met")
    assert not db.session.get_one(Person, junior.id).stale
    reopen(first, None)
    run_jobs()
    travel(minutes=12)
    run_jobs()
    done, again = progress.of(junior).lines
    assert (done.value, done.state, again.value, again.state) == (1.0, "short", 50.0, "short")
    # Given to somebody else it counts there, as if it had been there from the beginning.
    assign(second, outsider, None)
    run_jobs()
    travel(minutes=18)
    run_jobs()
    done, again = progress.of(junior).lines
    assert (done.value, again.value, again.count, again.state) == (0.0, 100.0, 1, "few")
    assert again.missing == 1.0
    travel(days=31)
    measuring.measure()
    assert progress.of(junior).lines[0].value == 0.0


def test_nothing_measured_is_never_met(junior: Any, asks: Any) -> None:
    asks("intermediate", ("career.reopened", 50))
    assert line(junior).state == "nothing"
    measuring.measure()
    assert (line(junior).value, line(junior).state) == (None, "nothing")
    assert not progress.of(junior).is_ready


def test_a_competence_counts_as_it_was_assessed_last(junior: Any, chief: Any, asks: Any) -> None:
    skill = competences.save(None, "Refunds", "", None)
    asks("intermediate", ("career.assessment", 4, str(skill.id)))
    competences.assess(junior, skill, 5, "Seen.", chief)
    assert (line(junior, fresh=True).value, line(junior, fresh=True).label) == (5.0, "Competence as assessed: Refunds")
    competences.assess(junior, skill, 3, "Seen again.", chief)
    assert (line(junior, fresh=True).value, line(junior, fresh=True).count) == (3.0, 2)
    competences.assess(junior, skill, 0, "It was somebody else.", chief)
    assert line(junior, fresh=True).state == "nothing"


def probe(measure: Any, **values: Any) -> Any:
    usual = {
        "key": "probe.calls", "label": "Calls made", "unit": "number", "better": "more", "counts": False,
        "choices": None, "measure": measure, "link": lambda user_id, choice, days: f"/p/probe/{user_id}?days={days}",
    }  # fmt: skip
    return lambda: [usual | values]


@pytest.mark.db
def test_a_plugin_that_is_off_makes_it_not_measurable_now(
    app: Any, page: Any, junior: Any, asks: Any, plug: Any, switch: Any
) -> None:
    plug("probe", career_criteria=probe(lambda user_ids, since, choice: dict.fromkeys(user_ids, (7, 1))))
    asks("intermediate", ("probe.calls", 5, "", 0, 60))
    measuring.measure()
    assert (line(junior).state, line(junior).link) == ("met", f"/p/probe/{junior.id}?days=60")
    assert progress.of(junior).is_ready
    switch("probe", False)
    off = line(junior)
    assert (off.state, off.label, off.value, off.link) == ("off", "Calls made", None, None)
    assert not progress.of(junior).is_ready, "never counts as met"
    measuring.measure()
    switch("probe", True)
    assert line(junior).state == "met"


@pytest.mark.parametrize("answer", ["nonsense", {"x": 1}, None, {1: ("many", 1)}])
def test_a_plugin_that_measures_wrongly_spoils_nothing_else(
    junior: Any, asks: Any, plug: Any, solved: Any, answer: Any
) -> None:
    plug("probe", career_criteria=probe(lambda user_ids, since, choice: answer))
    asks("intermediate", ("probe.calls", 5), ("career.solved", 1))
    solved(junior)
    measuring.measure()
    lines = progress.of(junior).lines
    assert [one.state for one in lines] == ["nothing", "met"]


def test_what_plugins_describe_wrongly_is_left_out(app: Any, plug: Any) -> None:
    plug("probe", career_criteria=lambda: [1, {}, {"key": "probe.x"}, *probe(len, unit="miles")()])
    plug("link", career_criteria=probe(lambda *_all: {}, key="link.bad", link=lambda *_all: "https://evil.example"))
    known = offering.criteria()
    assert not any(key.startswith("probe.") for key in known) and "link.bad" in known


def test_an_address_that_leads_away_is_not_shown(page: Any, junior: Any, asks: Any, plug: Any) -> None:
    for number, bad in enumerate(("https://evil.example/", "//evil.example", "javascript:alert(1)", 7)):
        plug(f"link{number}", career_criteria=probe(
            lambda *_all: {}, key=f"link{number}.x", link=lambda *_all, bad=bad: bad
        ))  # fmt: skip
    asks("intermediate", *((f"link{number}.x", 1) for number in range(4)))
    assert [one.link for one in progress.of(junior).lines] == [None] * 4


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tickets=st.lists(st.tuples(st.sampled_from(["open", "solved", "closed"]), st.integers(0, 2), st.integers(0, 60)),
                        max_size=12), days=st.sampled_from([0, 30]))  # fmt: skip
def test_what_is_measured_is_what_the_tickets_say(junior: Any, make_ticket: Any, tickets: Any, days: int) -> None:
    """Of one query for everybody, against counting by hand."""
    with transaction():
        db.session.execute(db.update(Ticket).values(assignee_id=None))
    pattern = make_ticket()
    since = now() - timedelta(days=days) if days else None
    rows = []
    for category, reopened, ago in tickets:
        moment = now() - timedelta(days=ago, minutes=1)
        rows.append({
            "subject": "Bell", "status_id": pattern.status_id, "category": category,
            "requester_id": pattern.requester_id, "assignee_id": junior.id, "reopened": reopened, "updated_at": moment,
            "solved_at": moment if category != "open" else None,
        })  # fmt: skip
    if rows:
        with transaction():
            db.session.execute(db.insert(Ticket), rows)
    within = [one for one in tickets if not days or one[2] < days]
    solved = [one for one in within if one[0] != "open"]
    again = [one for one in within if one[1]]
    total = len(solved) + len([one for one in again if one[0] == "open"])
    assert criteria.measure_solved([junior.id], since, "").get(junior.id, (0.0, 0)) == (float(len(solved)), len(solved))
    value, count = criteria.measure_reopened([junior.id], since, "").get(junior.id, (None, 0))
    assert count == total and value == (pytest.approx(100 * len(again) / total) if total else None)


@pytest.mark.db
def test_everybody_in_the_same_number_of_queries(
    app: Any, chief: Any, boss: Any, team: Any, levels: Any, asks: Any, make_user: Any, count_queries: Any
) -> None:
    asks("intermediate", ("career.solved", 2), ("career.reopened", 40), ("career.time", 10))

    def measured(people: int) -> tuple[int, int]:
        for number in range(people):
            user = make_user("agent", name=f"Person {number}", teams=[team])
            records.place(user, levels["junior"], "Begun.", None, date(2026, 1, 5))
        db.session.expire_all()
        progress.of_all(boss)
        with count_queries() as page:
            progress.of_all(boss)
        with count_queries() as job:
            measuring.measure()
        return len(page), len(job)

    few = measured(3)
    assert measured(12) == few and few[0] <= 8
    # Supervisors see their team, by name, in pages; who has left is not among them.
    names = [one.user.name for one in progress.of_all(chief)]
    assert names == sorted(names) and len(names) == 18 and "Bea Boss" not in names
    first = progress.of_all(chief, most=5)
    rest = progress.of_all(chief, after=(first[-1].user.name, first[-1].user.id))
    assert [one.user.id for one in [*first, *rest]] == [one.user.id for one in progress.of_all(chief)]


def test_the_ready_list(junior: Any, chief: Any, boss: Any, outsider: Any, levels: Any, asks: Any, solved: Any) -> None:
    asks("intermediate", ("career.solved", 1))
    records.place(outsider, levels["junior"], "Begun.", None)
    solved(junior)
    solved(outsider)
    measuring.measure()
    assert [one.user.name for one in progress.ready(chief)] == ["Abe Agent"]
    assert [one.user.name for one in progress.ready(boss)] == ["Abe Agent", "Olga Out"]
    assert progress.ready(junior) == [], "nobody is on their own list"
    with transaction():
        outsider.active = False
    assert [one.user.name for one in progress.ready(boss)] == ["Abe Agent"]
    asks("intermediate")
    assert progress.ready(boss) == [], "a level that asks for nothing makes nobody ready"


@pytest.mark.db
def test_measures_are_written_over_and_gone_with_the_person(app: Any, junior: Any, asks: Any, solved: Any) -> None:
    asks("intermediate", ("career.solved", 1))
    measuring.measure()
    solved(junior)
    measuring.measure()
    rows = db.session.scalars(db.select(Measure)).all()
    assert [(row.user_id, row.criterion, row.value) for row in rows] == [(junior.id, "career.solved", 1.0)]
    records.end(junior, "Gone.", None)
    assert measuring.measure() == 0


@pytest.mark.db
def test_who_was_being_measured_when_the_job_was_killed_is_measured_by_the_next_one(
    app: Any, junior: Any, asks: Any, plug: Any
) -> None:
    def killed(user_ids: Any, since: Any, choice: str) -> Any:
        raise SystemExit

    calls = [killed, lambda user_ids, since, choice: dict.fromkeys(user_ids, (7, 1))]
    plug("probe", career_criteria=probe(lambda *asked: calls.pop(0)(*asked)))
    asks("intermediate", ("probe.calls", 5))
    with pytest.raises(SystemExit):
        measuring.measure_stale()
    db.session.rollback()
    assert line(junior).state == "nothing"
    assert measuring.measure_stale() == 1
    assert (line(junior).value, line(junior).state) == (7.0, "met")
    assert measuring.measure_stale() == 0, "once it is written it is not done again"


@pytest.mark.parametrize("criterion", ["career.solved", "career.reopened", "career.assessment"])
def test_each_line_opens_what_is_behind_it(page: Any, junior: Any, asks: Any, criterion: str) -> None:
    skill = competences.save(None, "Refunds", "", None)
    asks("intermediate", (criterion, 1, str(skill.id) if criterion == "career.assessment" else "", 0, 30))
    link = line(junior).link
    assert link is not None and str(junior.id) in link
