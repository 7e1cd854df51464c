"""Promotions: proposed with evidence, decided once, by somebody else, of people who are still there.

The fact career_level_changed of register_hookspecs.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpdesk_career import ladder, progress, proposals, records
from helpdesk_career.models import Level, Proposal
from helpdesk_career.settings import CareerSettings

from helpdesk.api import Event, Invalid, NotAllowed, Refused, User, db, transaction


@pytest.fixture
def proposal(junior: Any, levels: Any, chief: Any, asks: Any, solved: Any) -> Proposal:
    asks("intermediate", ("career.solved", 1))
    solved(junior)
    return proposals.propose(junior, levels["intermediate"], "She solves what others leave.", chief)


def test_with_evidence_and_approval(
    proposal: Proposal, junior: Any, chief: Any, other_chief: Any, solved: Any, level_of: Any
) -> None:
    line = progress.evidence_lines(proposal.evidence)[0]
    assert (line.label, line.value, line.threshold, line.state) == ("Tickets solved", 1.0, 1.0, "met")
    solved(junior)
    decided = proposals.decide(proposal, True, "", other_chief)
    assert (decided.state, decided.decided_by_id) == ("approved", other_chief.id) and level_of(junior) == "intermediate"
    step = records.history(junior)[0]
    assert (step.kind, step.why, step.by_id) == ("promoted", "She solves what others leave.", other_chief.id)
    assert progress.evidence_lines(step.evidence)[0].value == 2.0, "as it was at the decision"
    assert progress.evidence_lines(proposal.evidence)[0].value == 1.0, "as it was when it was proposed"
    fact = db.session.scalars(db.select(Event).where(Event.kind == "career_level_changed").order_by(Event.id)).all()[-1]
    assert fact.data["user_id"] == junior.id and fact.data["level"] == "Intermediate agent (Customer service)"
    assert proposals.decide(proposal, True, "", other_chief).state == "approved", "the same again changes nothing"
    assert len(records.history(junior)) == 2


def test_the_first_decision_counts(
    proposal: Proposal, junior: Any, chief: Any, other_chief: Any, boss: Any, level_of: Any
) -> None:
    with pytest.raises(Invalid, match="why not") as refused:
        proposals.decide(proposal, False, " ", other_chief)
    assert refused.value.field == "answer"
    proposals.decide(proposal, False, "Too early.", other_chief)
    with pytest.raises(Refused, match="Sam Other has decided this already: Refused. Nothing was changed."):
        proposals.decide(proposal, True, "", boss)
    with pytest.raises(Refused, match="already"):
        proposals.withdraw(proposal, chief)
    assert level_of(junior) == "junior"
    again = proposals.propose(junior, proposal.level, "Now.", chief)
    assert proposals.withdraw(again, chief).state == "withdrawn" and proposals.withdraw(again, chief).id == again.id


@pytest.mark.db
def test_two_supervisors_deciding_at_once(
    app: Any, proposal: Proposal, junior: Any, other_chief: Any, boss: Any, level_of: Any
) -> None:
    number, deciders = proposal.id, [(other_chief.id, True), (boss.id, False), (boss.id, True)]
    db.session.rollback()

    def one(how: tuple[int, bool]) -> str:
        with app.app_context():
            try:
                actor = db.session.get_one(User, how[0])
                proposals.decide(db.session.get_one(Proposal, number), how[1], "Said so.", actor)
                return "decided"
            except Refused as error:
                assert "already" in str(error)
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(one, deciders))
    assert sorted(said) == ["decided", "refused", "refused"]
    db.session.rollback()
    row = db.session.get_one(Proposal, number)
    assert (row.state == "approved") == (level_of(junior) == "intermediate")
    assert len(records.history(junior)) == (2 if row.state == "approved" else 1)


@pytest.mark.db
def test_two_supervisors_proposing_at_once(app: Any, junior: Any, levels: Any, chief: Any, other_chief: Any) -> None:
    ids = junior.id, levels["intermediate"].id
    actors = [chief.id, other_chief.id]
    db.session.rollback()

    def one(actor: int) -> str:
        with app.app_context():
            try:
                user, level = db.session.get_one(User, ids[0]), db.session.get_one(Level, ids[1])
                proposals.propose(user, level, "Good.", db.session.get_one(User, actor))
                return "proposed"
            except Refused as error:
                assert "has proposed them already" in str(error)
                return "refused"
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, actors)) == ["proposed", "refused"]


def test_nobody_decides_about_what_they_proposed_unless_the_owner_says_so(
    proposal: Proposal, junior: Any, chief: Any, configure: Any, level_of: Any
) -> None:
    with pytest.raises(Refused, match="Somebody else"):
        proposals.decide(proposal, True, "", chief)
    configure(CareerSettings, two_people=False)
    proposals.decide(proposal, True, "", chief)
    assert level_of(junior) == "intermediate"


def test_nobody_decides_about_themselves(junior: Any, levels: Any, chief: Any, other_chief: Any, boss: Any) -> None:
    records.place(chief, levels["junior"], "She answers, too.", boss)
    for actor in (chief, junior):
        with pytest.raises(NotAllowed):
            proposals.propose(actor, levels["intermediate"], "I am good.", actor)
    mine = proposals.propose(chief, levels["intermediate"], "Good.", other_chief)
    for actor in (chief, junior):
        with pytest.raises(NotAllowed):
            proposals.decide(mine, True, "", actor)
    assert mine not in proposals.waiting(chief) and mine in proposals.waiting(boss)


def test_somebody_who_left_is_not_promoted(
    proposal: Proposal, junior: Any, levels: Any, other_chief: Any, level_of: Any
) -> None:
    with transaction():
        junior.active = False
    with pytest.raises(Refused, match="Abe Agent does not work here any more"):
        proposals.decide(proposal, True, "", other_chief)
    with pytest.raises(Refused, match="does not work here"):
        proposals.propose(junior, levels["intermediate"], "Good.", other_chief)
    assert level_of(junior) == "junior" and proposal.state == "open"


def test_who_moved_to_another_team_is_decided_about_there(
    proposal: Proposal, junior: Any, make_team: Any, make_user: Any, other_chief: Any, team: Any, level_of: Any
) -> None:
    new_chief = make_user("supervisor", name="Nia New")
    new_team = make_team("Returns", [new_chief])
    with transaction():
        db.session.get_one(type(junior), junior.id).teams = [new_team]
    db.session.expire_all()
    assert proposals.find(other_chief, proposal.id) is None and proposals.waiting(other_chief) == []
    with pytest.raises(NotAllowed):
        proposals.decide(proposal, True, "", other_chief)
    assert [one.id for one in proposals.waiting(new_chief)] == [proposal.id]
    proposals.decide(proposal, True, "", new_chief)
    assert level_of(junior) == "intermediate"


def test_what_changed_meanwhile_is_not_passed_over(
    proposal: Proposal, junior: Any, levels: Any, track: Any, other_chief: Any, boss: Any
) -> None:
    ladder.retire_level(levels["intermediate"], True, boss)
    with pytest.raises(Invalid, match="nobody new"):
        proposals.decide(proposal, True, "", other_chief)
    ladder.retire_level(levels["intermediate"], False, boss)
    records.end(junior, "She left the desk.", None)
    records.place(junior, levels["junior"], "She came back.", None)
    # The end has taken the proposal back.
    with pytest.raises(Refused, match="already"):
        proposals.decide(proposal, True, "", other_chief)
    again = proposals.propose(junior, levels["intermediate"], "Good.", boss)
    records.place(junior, levels["senior"], "By the operator.", None)
    with pytest.raises(Refused, match="another level since"):
        proposals.decide(again, True, "", other_chief)


def test_only_where_somebody_may_go(junior: Any, levels: Any, chief: Any, outsider: Any) -> None:
    with pytest.raises(Invalid, match="cannot go to this level"):
        proposals.propose(junior, levels["senior"], "Two at once.", chief)
    with pytest.raises(Invalid, match="why"):
        proposals.propose(junior, levels["intermediate"], "", chief)
    with pytest.raises(NotAllowed):
        proposals.propose(outsider, levels["junior"], "Good.", chief)
