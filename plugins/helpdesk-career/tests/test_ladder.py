"""Tracks and levels: named, moved, retired, never taken from under somebody; what a level asks for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpdesk_career import ladder, proposals, records, rules, words
from helpdesk_career.models import Level, Requirement, Track

from helpdesk.api import Invalid, NotAllowed, db


def test_the_usual_ladder_is_made_once_and_named_in_the_readers_language(track: Track, app: Any) -> None:
    assert [words.level_name(level) for level in track.levels] == [
        "Junior agent", "Intermediate agent", "Senior agent", "Supervisor",
    ]  # fmt: skip
    assert ladder.begin(None).id == track.id and len(ladder.tracks()) == 1
    senior = ladder.save_level(track.levels[2], track, {"name": "Expert"}, None)
    assert words.full_name(senior) == "Expert (Customer service)"
    # The translated name comes back when nothing else is wanted.
    assert words.level_name(ladder.save_level(senior, track, {"name": ""}, None)) == "Senior agent"


@pytest.mark.db
def test_two_that_begin_at_once_make_one_ladder_or_find_it(app: Any) -> None:
    def one(_number: int) -> int:
        with app.app_context():
            found = ladder.begin(None).id
            db.session.remove()
        return found

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(3)))
    db.session.rollback()
    assert len(ladder.tracks()) == 1


def test_names_and_places(track: Track, boss: Any, team: Any) -> None:
    with pytest.raises(Invalid, match="name") as refused:
        ladder.save_level(None, track, {"name": " "}, boss)
    assert refused.value.field == "name"
    lead = ladder.save_level(None, track, {"name": "Team lead", "note": "Runs a shift."}, boss)
    with pytest.raises(Invalid, match="already"):
        ladder.save_level(None, track, {"name": "Team lead"}, boss)
    ladder.move_level(lead, True, boss)
    db.session.expire_all()
    assert [level.key or level.name for level in track.levels][-2:] == ["Team lead", "supervisor"]
    for _turn in range(6):
        ladder.move_level(lead, True, boss)
    db.session.expire_all()
    assert track.levels[0].name == "Team lead" and [level.position for level in track.levels] == [1, 2, 3, 4, 5]
    with pytest.raises(Invalid, match="too long"):
        ladder.save_level(lead, track, {"name": "x" * 101}, boss)


def test_a_track_leads_into_another_department(track: Track, levels: Any, boss: Any, team: Any) -> None:
    sales = ladder.save_track(
        None, {"name": "Sales", "team_id": team.id, "from_level_id": levels["intermediate"].id}, boss
    )
    first = ladder.save_level(None, sales, {"name": "Sales agent"}, boss)
    every = ladder.tracks()
    assert ladder.next_levels(levels["junior"], every) == [levels["intermediate"]]
    assert ladder.next_levels(levels["intermediate"], every) == [levels["senior"], first]
    assert ladder.next_levels(levels["supervisor"], every) == [first]
    ladder.retire_track(sales, True, boss)
    assert ladder.next_levels(levels["supervisor"], ladder.tracks(retired=True)) == []
    with pytest.raises(Invalid, match="another track"):
        ladder.save_track(sales, {"from_level_id": first.id}, boss)
    with pytest.raises(Invalid, match="already"):
        ladder.save_track(None, {"name": "Sales"}, boss)
    with pytest.raises(Invalid, match="team"):
        ladder.save_track(sales, {"team_id": 99_999}, boss)


def test_a_level_that_is_held_stays(track: Track, levels: Any, junior: Any, boss: Any, level_of: Any) -> None:
    with pytest.raises(Invalid, match="1 person holds this level. Move them"):
        ladder.remove_level(levels["junior"], boss)
    ladder.retire_level(levels["junior"], True, boss)
    assert level_of(junior) == "junior", "who holds it keeps it"
    assert levels["junior"] not in ladder.levels()
    # Moved away it still stands in a history.
    records.end(junior, "She goes to another house.", None)
    with pytest.raises(Invalid, match="records. Retire it"):
        ladder.remove_level(levels["junior"], boss)
    ladder.remove_level(levels["supervisor"], boss)
    db.session.expire_all()
    assert [level.key for level in track.levels] == ["junior", "intermediate", "senior"]


def test_a_level_that_something_needs_stays(track: Track, levels: Any, junior: Any, chief: Any, boss: Any) -> None:
    rules.save(None, {"act": "opens", "level_id": levels["senior"].id, "permission": "ticket.export"}, boss)
    with pytest.raises(Invalid, match="rule"):
        ladder.remove_level(levels["senior"], boss)
    ladder.save_track(None, {"name": "Sales", "from_level_id": levels["supervisor"].id}, boss)
    with pytest.raises(Invalid, match="Another track"):
        ladder.remove_level(levels["supervisor"], boss)
    proposals.propose(junior, levels["intermediate"], "Good.", chief)
    with pytest.raises(Invalid, match="records"):
        ladder.remove_level(levels["intermediate"], boss)


def test_only_administrators_change_it(track: Track, levels: Any, chief: Any, agent: Any) -> None:
    for actor in (chief, agent):
        for call in (
            lambda who: ladder.save_track(None, {"name": "Sales"}, who),
            lambda who: ladder.save_level(None, track, {"name": "Lead"}, who),
            lambda who: ladder.remove_level(levels["senior"], who),
            lambda who: ladder.save_requirements(levels["senior"], [], who),
            lambda who: ladder.retire_level(levels["senior"], True, who),
        ):
            with pytest.raises(NotAllowed):
                call(actor)


def row(**values: Any) -> dict[str, Any]:
    return {"criterion": "career.solved", "threshold": "10", **values}


@pytest.mark.parametrize(
    ("rows", "field", "sentence"),
    [
        ([row(criterion="nobody.knows")], "r1.criterion", "cannot be measured now"),
        ([row(threshold="many")], "r1.threshold", "number from 0"),
        ([row(threshold="nan")], "r1.threshold", "number from 0"),
        ([row(threshold="-1")], "r1.threshold", "number from 0"),
        ([row(threshold="")], "r1.threshold", "number from 0"),
        ([row(), row(threshold="20")], "r2.criterion", "twice"),
        ([row(choice="7")], "r1.choice", "nothing to choose"),
        ([row(criterion="career.assessment", choice="999")], "r1.choice", "of the list"),
        ([row(days="4000")], "r1.days", "number from 0"),
        ([row()] * 31, "rows", "30 things"),
    ],
)
def test_requirements_that_cannot_be(levels: Any, boss: Any, rows: Any, field: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        ladder.save_requirements(levels["senior"], rows, boss)
    assert refused.value.field == field
    assert db.session.scalars(db.select(Requirement)).all() == []


@pytest.mark.db
def test_requirements_are_exactly_those_and_keep_their_words_while_a_plugin_is_off(
    app: Any, levels: Any, boss: Any, plug: Any, switch: Any
) -> None:
    asked = {
        "key": "probe.calls", "label": "Calls made", "unit": "number", "better": "more", "counts": False,
        "choices": None, "measure": lambda user_ids, since, choice: {}, "link": None,
    }  # fmt: skip
    plug("probe", career_criteria=lambda: [asked])
    senior = levels["senior"]
    ladder.save_requirements(senior, [row(threshold="2,5", days="90"), row(criterion="probe.calls")], boss)
    assert [(one.criterion, one.threshold, one.days, one.label) for one in senior.requirements] == [
        ("career.solved", 2.5, 90, "Tickets solved"), ("probe.calls", 10.0, 0, "Calls made"),
    ]  # fmt: skip
    switch("probe", False)
    ladder.save_requirements(senior, [row(criterion="probe.calls", threshold="12")], boss)
    db.session.expire_all()
    assert [(one.criterion, one.threshold, one.label) for one in senior.requirements] == [
        ("probe.calls", 12.0, "Calls made")
    ]
    ladder.save_requirements(senior, [], boss)
    assert db.session.scalar(db.select(db.func.count()).select_from(Requirement)) == 0
    assert isinstance(senior, Level)
