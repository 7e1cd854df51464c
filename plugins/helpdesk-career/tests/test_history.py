"""The history of levels: entries that stay, corrections that name them, and where somebody stands after all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from helpdesk_career import goals, keeping, ladder, proposals, records
from helpdesk_career.models import Level, Person, Proposal, Step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Invalid, NotAllowed, Refused, User, db, now, transaction


def person(user: Any) -> Person:
    db.session.expire_all()
    return db.session.get_one(Person, user.id)


def test_placed_moved_lowered_ended(agent: Any, levels: Any, chief: Any, level_of: Any) -> None:
    records.place(agent, levels["intermediate"], "She had this elsewhere.", chief, date(2026, 1, 5))
    assert level_of(agent) == "intermediate" and person(agent).since == datetime(2026, 1, 5, tzinfo=UTC)
    with pytest.raises(Invalid, match="already"):
        records.place(agent, levels["intermediate"], "Again.", chief)
    with pytest.raises(Invalid, match="takes a proposal"):
        records.place(agent, levels["senior"], "Quickly.", chief)
    records.place(agent, levels["junior"], "It was too early.", chief)
    records.end(agent, "She goes.", chief)
    steps = records.history(agent)
    assert [step.kind for step in steps] == ["ended", "lowered", "placed"]
    assert [(step.from_name, step.level_name) for step in steps] == [
        ("Junior agent (Customer service)", ""),
        ("Intermediate agent (Customer service)", "Junior agent (Customer service)"),
        ("", "Intermediate agent (Customer service)"),
    ]
    assert {step.by_id for step in steps} == {chief.id} and level_of(agent) == ""
    assert person(agent).left_at is not None and records.end(agent, "Again.", chief) is None


def test_what_cannot_be_written(agent: Any, levels: Any, chief: Any, outsider: Any, boss: Any) -> None:
    for why, day, field in (("", None, "why"), ("Good.", date(2999, 1, 1), "held_from"), ("x" * 5_001, None, "why")):
        with pytest.raises(Invalid) as refused:
            records.place(agent, levels["junior"], why, chief, day)
        assert refused.value.field == field
    for user, actor in ((outsider, chief), (chief, chief), (agent, agent), (boss, chief)):
        with pytest.raises(NotAllowed):
            records.place(user, levels["junior"], "Good.", actor)
    ladder.retire_level(levels["junior"], True, boss)
    with pytest.raises(Invalid, match="nobody new"):
        records.place(agent, levels["junior"], "Good.", chief)
    with transaction():
        agent.active = False
    with pytest.raises(Refused, match="does not work here"):
        records.place(agent, levels["senior"], "Good.", chief)
    assert records.history(agent) == []


def test_a_name_that_changes_later_does_not_change_the_history(track: Any, junior: Any, levels: Any, boss: Any) -> None:
    ladder.save_level(levels["junior"], track, {"name": "Beginner"}, boss)
    assert records.history(junior)[0].level_name == "Junior agent (Customer service)"


def test_corrections_are_entries_and_nothing_is_overwritten(
    junior: Any, levels: Any, chief: Any, boss: Any, level_of: Any
) -> None:
    first = records.history(junior)[0]
    before = {column.key: getattr(first, column.key) for column in Step.__mapper__.column_attrs}
    early = records.correct(first, levels["junior"], "She began in May.", chief, date(2026, 5, 4))
    assert person(junior).since == datetime(2026, 5, 4, tzinfo=UTC) and early.corrects_id == first.id
    with pytest.raises(Refused, match="corrected already"):
        records.correct(first, levels["junior"], "In June.", chief, date(2026, 6, 1))
    with pytest.raises(Invalid, match="takes a proposal"):
        records.correct(early, levels["senior"], "A bit more.", chief)
    # The desk itself (an operator) may.
    records.correct(early, levels["intermediate"], "It was this one.", None)
    assert level_of(junior) == "intermediate"
    back = records.correct(records.history(junior)[0], None, "It was somebody else.", chief)
    assert level_of(junior) == "" and person(junior).left_at is None
    db.session.expire_all()
    assert {column.key: getattr(first, column.key) for column in Step.__mapper__.column_attrs} == before
    assert [step.id for step in records.history(junior)][0] == back.id and len(records.history(junior)) == 4


def test_an_end_that_was_wrong_is_corrected(junior: Any, levels: Any, chief: Any, level_of: Any) -> None:
    end = records.end(junior, "She goes.", chief)
    assert end is not None and level_of(junior) == ""
    with pytest.raises(Invalid, match="takes a proposal"):
        records.correct(end, levels["senior"], "She stays.", chief)
    records.correct(end, levels["junior"], "She stays.", chief)
    assert level_of(junior) == "junior"
    assert person(junior).since == records.history(junior)[-1].held_from, "held without a break"


_WAYS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-1, 3), st.integers(0, 400)), min_size=1, max_size=12
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ways=_WAYS)
def test_where_somebody_stands_is_what_the_entries_say(agent: Any, track: Any, ways: Any) -> None:
    """However entries and corrections mix: the row is the last entry in force, and old entries stay as they were."""
    with transaction():
        db.session.execute(db.update(Step).values(corrects_id=None))
        db.session.execute(db.delete(Step))
        db.session.execute(db.delete(Person))
    levels = db.session.scalars(db.select(Level).order_by(Level.position)).all()
    kept: dict[int, Any] = {}
    for kind, place, days in ways:
        level = levels[place] if place >= 0 else None
        day = (now() - timedelta(days=days)).date()
        steps = records.history(agent)
        uncorrected = [one for one in steps if one.id not in {each.corrects_id for each in steps}]
        try:
            if kind == 0 and level is not None:
                records.place(agent, level, "Placed.", None, day)
            elif kind == 1:
                records.end(agent, "Ended.", None, day)
            elif uncorrected:
                records.correct(uncorrected[days % len(uncorrected)], level, "Corrected.", None, day)
        except Invalid:
            pass
        for step in records.history(agent):
            said = (step.kind, step.level_id, step.held_from, step.corrects_id, step.why)
            assert kept.setdefault(step.id, said) == said
    row = db.session.get(Person, agent.id)
    holding = records.in_force(records.history(agent)[::-1])
    expected = holding[-1].level_id if holding else None
    assert (row.level_id if row else None) == expected
    if expected is not None and row is not None:
        assert row.since is not None and row.since <= holding[-1].held_from


def test_who_has_left_is_taken_off_by_itself_and_forgotten_later(
    junior: Any, levels: Any, chief: Any, run_jobs: Any, travel: Any, level_of: Any
) -> None:
    proposals.propose(junior, levels["intermediate"], "Good.", chief)
    assert keeping.end_those_who_left() == 0
    with transaction():
        junior.active = False
    assert keeping.end_those_who_left() == 1 and keeping.end_those_who_left() == 0
    db.session.expire_all()
    assert level_of(junior) == "" and records.history(junior)[0].kind == "ended"
    proposal = db.session.scalars(db.select(Proposal)).one()
    assert (proposal.state, proposal.decided_by_id) == ("withdrawn", None)
    travel(days=1_000)
    assert keeping.forget_those_who_left() == 0
    travel(days=1_200)
    assert keeping.forget_those_who_left() == 1
    assert records.history(junior) == [] and db.session.scalars(db.select(Proposal)).all() == []
    assert db.session.get(User, junior.id) is not None


@pytest.mark.db
def test_what_was_done_before_the_job_was_killed_is_not_done_again(
    app: Any, crowd: list[User], level_of: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_at(work: Any, place: int) -> Any:
        turns = iter(range(place))

        def half(one: Any) -> None:
            work(one)
            if next(turns, None) is None:
                raise SystemExit

        return half

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(keeping, "_end", killed_at(keeping._end, 2))
        keeping.end_those_who_left()
    db.session.rollback()
    assert [level_of(user) for user in crowd] == ["", "", "junior", "junior"], "the third is undone with its entry"
    assert keeping.end_those_who_left() == 2
    assert [[step.kind for step in records.history(user)] for user in crowd] == [["ended", "placed"]] * 4
    travel(days=1_200)
    monkeypatch.setattr(keeping, "_BATCH", 2)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(keeping, "forget", killed_at(keeping.forget, 3))
        keeping.forget_those_who_left()
    db.session.rollback()
    assert [len(records.history(user)) for user in crowd] == [0, 0, 2, 2]
    assert keeping.forget_those_who_left() == 2
    assert [len(records.history(user)) for user in crowd] == [0] * 4


@pytest.fixture
def crowd(make_user: Any, levels: Any) -> list[User]:
    """Four with a level, who have left."""
    people: list[User] = [make_user("agent", name=f"Left {number}") for number in range(4)]
    for user in people:
        records.place(user, levels["junior"], "Begun.", None)
    with transaction():
        for user in people:
            user.active = False
    return people


def test_who_still_works_here_is_not_forgotten_and_who_never_had_a_level_is(
    junior: Any, outsider: Any, chief: Any, travel: Any
) -> None:
    """Off the ladder is not off the desk; goals are kept of people without a level, too."""
    records.end(junior, "She does other work.", chief)
    goals.add(outsider, "Learn returns.", None, outsider)
    with transaction():
        outsider.active = False
    assert keeping.end_those_who_left() == 1
    travel(days=1_200)
    assert keeping.forget_those_who_left() == 1
    assert len(records.history(junior)) == 2 and goals.of(outsider) == []


def test_nobody_gives_a_high_level_alone_by_another_way(junior: Any, levels: Any, chief: Any, boss: Any) -> None:
    """Off the ladder and on again, or by another track, would be a promotion without an approval."""
    sales = ladder.save_track(None, {"name": "Sales"}, None)
    seller, head = (ladder.save_level(None, sales, {"name": name}, None) for name in ("Seller", "Head"))
    with pytest.raises(Invalid, match="takes a proposal"):
        records.place(junior, head, "She sells.", chief)
    records.place(junior, seller, "She sells.", chief)
    with pytest.raises(Invalid, match="takes a proposal"):
        records.place(junior, levels["senior"], "Back.", chief)
    records.end(junior, "Gone.", chief)
    with pytest.raises(Invalid, match="takes a proposal"):
        records.place(junior, levels["senior"], "Back.", chief)
    records.place(junior, levels["junior"], "As she was.", chief)
    records.end(junior, "Gone.", chief)
    records.place(junior, levels["senior"], "She was one elsewhere.", boss)


@pytest.mark.db
def test_two_who_correct_the_same_entry_at_once(app: Any, junior: Any, levels: Any, chief: Any) -> None:
    step, numbers = records.history(junior)[0].id, (chief.id, levels["junior"].id)
    db.session.rollback()

    def one(day: int) -> str:
        with app.app_context():
            try:
                actor, level = db.session.get_one(User, numbers[0]), db.session.get_one(Level, numbers[1])
                records.correct(db.session.get_one(Step, step), level, f"Turn {day}", actor, date(2026, 5, day))
                return "written"
            except Refused:
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(one, range(1, 4))) == ["refused", "refused", "written"]
    db.session.rollback()
    assert len(records.history(junior)) == 2
