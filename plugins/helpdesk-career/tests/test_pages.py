"""The pages: first day to promotion with the new right on a ticket, what cannot be, and who sees what.

The hooks nav_items, admin_rooms, dashboard_widgets and user_panels.
"""

import re
from datetime import date
from typing import Any

import pytest
from helpdesk_career import competences, goals, ladder, measuring, proposals, recognition, records, reviews, rules
from helpdesk_career.models import Competence, Goal, Level, Proposal, Recognition, Review, Rule, Step, Template, Track

from helpdesk.api import allowed, db


def newest(model: Any) -> Any:
    db.session.rollback()
    return db.session.scalars(db.select(model).order_by(model.id.desc()).limit(1)).one()


def test_from_the_first_level_to_the_promotion_and_the_new_right(
    app: Any, agent: Any, chief: Any, other_chief: Any, boss: Any, team: Any, sign_in: Any, solved: Any,
    make_ticket: Any, level_of: Any,
) -> None:  # fmt: skip
    admin, lead, decider, mine = sign_in(boss), sign_in(chief), sign_in(other_chief), sign_in(agent)
    assert admin.post("/p/career/ladder").status_code == 303
    junior, intermediate = ladder.levels()[:2]
    numbers = junior.id, intermediate.id
    rows = {"rows": "2", "r1.criterion": "career.solved", "r1.threshold": "1", "r2.criterion": "", "do": "asks"}
    assert admin.post(f"/p/career/levels/{numbers[1]}", data=rows).status_code == 303
    rule = {"who": f"level:{numbers[1]}", "permission": "ticket.close"}
    assert admin.post("/p/career/rules/new/needs", data=rule).status_code == 303
    form = {"level": numbers[0], "why": "She has begun.", "held_from": "2026-01-05"}
    assert lead.post(f"/p/career/people/{agent.id}/level", data=form).status_code == 303
    ticket = make_ticket(assignee=agent)
    assert not allowed(agent, "ticket.close", ticket)
    measuring.measure()
    assert "1 missing" in mine.get("/p/career/").text
    solved(agent)
    measuring.measure()
    page = mine.get("/p/career/").text
    assert "Tickets solved" in page and "assignee=" in page and "Met" in page
    assert "Abe Agent" in lead.get("/p/career/team?show=ready").text
    form = {"level": numbers[1], "why": "She solves what others leave."}
    assert lead.post(f"/p/career/people/{agent.id}/propose", data=form).status_code == 303
    proposal = newest(Proposal).id
    refused = lead.post(f"/p/career/proposals/{proposal}", data={"do": "approve"})
    assert refused.status_code == 422 and "Somebody else has to decide" in refused.text
    assert decider.post(f"/p/career/proposals/{proposal}", data={"do": "approve"}).status_code == 303
    assert level_of(agent) == "intermediate" and allowed(agent, "ticket.close", ticket)
    late = sign_in(boss).post(f"/p/career/proposals/{proposal}", data={"do": "refuse", "answer": "No, too early."})
    assert late.status_code == 422 and "Sam Other has decided this already" in late.text
    assert "No, too early." not in mine.get(f"/p/career/proposals/{proposal}").text
    page = mine.get("/p/career/").text
    assert "She solves what others leave." in page and "The evidence as it was" in page


@pytest.fixture
def filled(junior: Any, levels: Any, chief: Any) -> dict[str, int]:
    """One of everything about the agent."""
    skill = competences.save(None, "Refunds", "", None)
    template = reviews.save_template(None, "Yearly", [{"kind": "grade", "competence_id": skill.id}], None)
    review = reviews.begin(junior, template, chief)
    reviews.write(review, {"i1": 4}, chief)
    reviews.share(review, chief)
    return {
        "step": records.history(junior)[0].id,
        "goal": goals.add(junior, "Learn returns.", date(2026, 12, 31), junior).id,
        "thanks": recognition.give(junior, "praise", "Well done.", "", chief).id,
        "proposal": proposals.propose(junior, levels["intermediate"], "Good.", chief).id,
        "review": review.id,
        "template": template.id,
        "skill": skill.id,
        "rule": rules.save(
            None, {"act": "opens", "level_id": levels["senior"].id, "permission": "ticket.export"}, None
        ).id,
        "level": levels["senior"].id,
        "track": levels["senior"].track_id,
        "person": junior.id,
    }  # fmt: skip


def addresses(ids: dict[str, int]) -> dict[str, list[str]]:
    return {
        "own": [
            f"/p/career/people/{ids['person']}", f"/p/career/reviews/{ids['review']}",
            f"/p/career/proposals/{ids['proposal']}",
        ],
        "lead": ["/p/career/team", "/p/career/team?show=ready", "/p/career/proposals"],
        "admin": [
            "/p/career/ladder", f"/p/career/tracks/{ids['track']}", f"/p/career/levels/{ids['level']}",
            "/p/career/competences", "/p/career/templates", "/p/career/templates/new",
            f"/p/career/templates/{ids['template']}", "/p/career/rules", f"/p/career/rules/{ids['rule']}",
            *(f"/p/career/rules/new/{act}" for act in ("opens", "needs", "takes")),
        ],
    }  # fmt: skip


def test_who_opens_what(
    filled: dict[str, int], junior: Any, chief: Any, outsider: Any, boss: Any, make_user: Any, sign_in: Any
) -> None:
    pages = addresses(filled)
    answers = {
        name: {
            kind: {client.get(path).status_code for path in paths} for kind, paths in pages.items()
        }
        for name, client in {
            "agent": sign_in(junior), "outsider": sign_in(outsider), "chief": sign_in(chief), "boss": sign_in(boss),
            "customer": sign_in(make_user()),
        }.items()
    }  # fmt: skip
    assert answers == {
        "agent": {"own": {200}, "lead": {403}, "admin": {403}},
        "outsider": {"own": {404}, "lead": {403}, "admin": {403}},
        "chief": {"own": {200}, "lead": {200}, "admin": {403}},
        "boss": {"own": {200}, "lead": {200}, "admin": {200}},
        "customer": {"own": {403}, "lead": {403}, "admin": {403}},
    }


def test_posts_of_others_change_nothing(filled: dict[str, int], outsider: Any, junior: Any, sign_in: Any) -> None:
    ids = filled
    posts = {
        f"/p/career/people/{ids['person']}/level": {"level": ids["level"], "why": "Me."},
        f"/p/career/people/{ids['person']}/end": {"why": "Me."},
        f"/p/career/people/{ids['person']}/propose": {"level": ids["level"], "why": "Me."},
        f"/p/career/people/{ids['person']}/competences": {"competence": ids["skill"], "grade": "5"},
        f"/p/career/people/{ids['person']}/recognition": {"kind": "praise", "text": "Me."},
        f"/p/career/people/{ids['person']}/reviews": {"template": ids["template"]},
        f"/p/career/history/{ids['step']}": {"why": "Me."},
        f"/p/career/recognition/{ids['thanks']}": {"text": ""},
        f"/p/career/proposals/{ids['proposal']}": {"do": "approve"},
        "/p/career/ladder": {},
        f"/p/career/levels/{ids['level']}": {"do": "remove"},
        f"/p/career/rules/{ids['rule']}": {"do": "remove"},
    }
    counts = {
        model: len(db.session.scalars(db.select(model)).all()) for model in (Step, Recognition, Review, Rule, Level)
    }
    for user in (outsider, junior):
        client = sign_in(user)
        for path, data in posts.items():
            assert client.post(path, data=data).status_code in (403, 404), path
    assert sign_in(outsider).post(f"/p/career/goals/{ids['goal']}", data={"state": "dropped"}).status_code == 404
    db.session.rollback()
    assert {model: len(db.session.scalars(db.select(model)).all()) for model in counts} == counts
    assert newest(Proposal).state == "open" and newest(Goal).state == "open"


@pytest.mark.parametrize(
    ("path", "data", "sentence", "kept"),
    [
        ("people/{person}/level", {"level": "{level}", "why": "", "held_from": "2026-02-03"}, "Say why", "2026-02-03"),
        ("people/{person}/level", {"level": "{level}", "why": "So.", "held_from": "soon"}, "Choose a day", "So."),
        ("people/{person}/level", {"level": "{level}", "why": "So be it."}, "takes a proposal", "So be it."),
        ("people/{person}/propose", {"level": "{level}", "why": "Two."}, "cannot go to this level", "Two."),
        ("people/{person}/goals", {"text": "", "due_on": "2026-12-31"}, "what is to be reached", "2026-12-31"),
        ("people/{person}/goals", {"text": "Sing.", "due_on": "x"}, "Choose a day", "Sing."),
        ("people/{person}/recognition", {"kind": "incentive", "text": "Best."}, "what it is worth", "Best."),
        ("people/{person}/recognition", {"kind": "praise", "text": "Fine.", "ticket": "x"}, "no ticket", "Fine."),
        ("people/{person}/competences", {"competence": "{skill}", "grade": "9", "why": "So."}, "of the list", "So."),
        ("history/{step}", {"level": "{level}", "why": "Higher."}, "takes a proposal", "Higher."),
        ("proposals/{proposal}", {"do": "refuse", "answer": ""}, "Say why not", ""),
    ],
)  # fmt: skip
def test_a_form_with_something_wrong_says_so_and_keeps_what_was_typed(
    filled: dict[str, int], other_chief: Any, sign_in: Any, path: str, data: Any, sentence: str, kept: str
) -> None:
    data = {key: value.format(**filled) for key, value in data.items()}
    answer = sign_in(other_chief).post(f"/p/career/{path.format(**filled)}", data=data)
    assert answer.status_code == 422 and sentence in answer.text and kept in answer.text


@pytest.mark.parametrize(
    ("path", "data", "sentence", "kept"),
    [
        ("tracks", {"name": "", "note": "Of sales."}, "Give the track a name", "Of sales."),
        ("tracks/{track}", {"do": "level", "level_name": ""}, "Give the level a name", ""),
        ("levels/{level}", {"do": "remove"}, "A rule needs this level", ""),
        ("levels/{level}", {"name": "x" * 101}, "too long", "xxxx"),
        (
            "levels/{level}",
            {"do": "asks", "rows": "2", "r1.criterion": "", "r2.criterion": "career.solved", "r2.threshold": "many"},
            "number from 0",
            "many",
        ),
        ("competences", {"name": " ", "note": "About money."}, "Give the competence a name", "About money."),
        ("competences/{skill}", {"name": ""}, "Give the competence a name", ""),
        ("templates/new", {"name": "", "rows": "1", "i1.what": "words", "i1.text": "Anything?"}, "name", "Anything?"),
        (
            "templates/{template}",
            {"name": "Yearly", "rows": "2", "i1.what": "", "i2.what": "words"},
            "the question",
            "",
        ),
        ("rules/new/opens", {"who": "", "permission": "ticket.export"}, "Choose a level or a certificate", ""),
        ("rules/new/takes", {"who": "level:{level}"}, "Say which tickets", ""),
        ("rules/{rule}", {"who": "level:{level}", "permission": "admin.use"}, "permission of the list", ""),
    ],
)
def test_a_form_of_the_administration_with_something_wrong(
    filled: dict[str, int], boss: Any, sign_in: Any, path: str, data: Any, sentence: str, kept: str
) -> None:
    data = {key: value.format(**filled) for key, value in data.items()}
    answer = sign_in(boss).post(f"/p/career/{path.format(**filled)}", data=data)
    assert answer.status_code == 422 and sentence in answer.text and kept in answer.text


def test_the_administration_saves(filled: dict[str, int], boss: Any, sign_in: Any) -> None:
    client = sign_in(boss)

    def post(path: str, **data: Any) -> None:
        answer = client.post(
            f"/p/career/{path.format(**filled)}", data={k.replace("__", "."): v for k, v in data.items()}
        )
        assert answer.status_code == 303, (path, re.findall(r'role="alert".*', answer.text))

    post("tracks", name="Sales", from_level_id=str(filled["level"]))
    track = newest(Track)
    post(f"tracks/{track.id}", do="level", level_name="Sales agent")
    level = newest(Level)
    assert (level.name, level.track.name) == ("Sales agent", "Sales")
    post(f"levels/{level.id}", do="save", name="Sales person", note="Sells.")
    post(f"levels/{level.id}", do="asks", rows="4", r1__criterion="career.solved", r1__threshold="5", r1__days="30",
         r3__criterion=f"career.assessment|{filled['skill']}", r3__threshold="3")  # fmt: skip
    assert [(one.criterion, one.choice) for one in newest(Level).requirements] == [
        ("career.solved", ""), ("career.assessment", str(filled["skill"])),
    ]  # fmt: skip
    assert client.get(f"/p/career/levels/{level.id}").status_code == 200
    for do in ("retire", "restore", "up", "down", "remove"):
        post(f"levels/{level.id}", do=do)
    post(f"tracks/{track.id}", do="retire")
    post("competences", name="Phone")
    post(f"competences/{newest(Competence).id}", name="Telephone")
    post(f"competences/{newest(Competence).id}", do="retire")
    post("templates/new", name="Monthly", rows="3", i1__what="words", i1__text="What?", i2__what=str(filled["skill"]))
    assert [item["kind"] for item in newest(Template).items] == ["words", "grade"]
    post(f"templates/{newest(Template).id}", do="retire")
    post("rules/new/takes", who=f"level:{filled['level']}", tag="complaint", gives="1")
    rule = newest(Rule)
    assert (rule.tag, rule.gives) == ("complaint", True) and "complaint" in client.get("/p/career/rules").text
    post(f"rules/{rule.id}", who=f"level:{filled['level']}", priority="urgent")
    assert (newest(Rule).tag, newest(Rule).gives) == ("", False)
    post(f"rules/{rule.id}", do="remove")


def test_reviews_on_the_page(filled: dict[str, int], junior: Any, chief: Any, sign_in: Any) -> None:
    lead, mine = sign_in(chief), sign_in(junior)
    assert lead.post(f"/p/career/people/{junior.id}/reviews", data={"template": filled["template"]}).status_code == 303
    number = newest(Review).id
    path = f"/p/career/reviews/{number}"
    assert mine.get(path).status_code == 404
    assert lead.post(path, data={"do": "share", "i1": "7"}).status_code == 422
    assert lead.post(path, data={"do": "share", "i1": "5"}).status_code == 303
    assert lead.post(path, data={"do": "answer", "reply": "I."}).status_code == 422
    assert mine.post(path, data={"do": "answer", "reply": "Thank you."}).status_code == 303
    assert "Thank you." in lead.get(path).text
    assert lead.post(path, data={"do": "correct"}).status_code == 303
    correction = newest(Review).id
    assert lead.post(f"/p/career/reviews/{correction}", data={"do": "share", "i1": "3"}).status_code == 303
    assert "A correction has taken the place" in mine.get(path).text


def test_home_and_the_page_of_a_colleague(
    place: Any, filled: dict[str, int], junior: Any, chief: Any, outsider: Any, sign_in: Any
) -> None:
    assert "Junior agent" in place("dashboard_widgets", junior)[0].html
    assert "/p/career/proposals/" in place("dashboard_widgets", chief)[0].html
    assert place("dashboard_widgets", outsider) == []
    assert "Junior agent" in sign_in(chief).get(f"/desk/people/{junior.id}").text
    assert "Junior agent" not in sign_in(outsider).get(f"/desk/people/{junior.id}").text


def test_places_on_the_desk_and_the_words_of_the_record(
    filled: dict[str, int], junior: Any, boss: Any, sign_in: Any, make_user: Any
) -> None:
    """nav_items, admin_rooms and register_acts: a door for staff, a room for administrators, words for what they do."""
    assert 'href="/p/career/"' in sign_in(junior).get("/desk/views/mine").text
    admin = sign_in(boss)
    admin.post(f"/p/career/levels/{filled['level']}", data={"do": "save", "name": "Lead agent"})
    assert 'href="/p/career/ladder"' in admin.get("/admin/").text
    page = admin.get("/admin/audit").text
    assert "Career ladder changed" in page and "Lead agent" in page


@pytest.mark.db
def test_pages_ask_as_often_for_many_as_for_few(
    app: Any, filled: dict[str, int], chief: Any, team: Any, levels: Any, asks: Any, make_user: Any, sign_in: Any,
    count_queries: Any,
) -> None:  # fmt: skip
    asks("intermediate", ("career.solved", 2), ("career.reopened", 40))
    client = sign_in(chief)

    def asked() -> dict[str, int]:
        counted = {}
        for path in ("/p/career/team", "/p/career/team?show=ready", f"/p/career/people/{filled['person']}"):
            client.get(path)
            with count_queries() as statements:
                client.get(path)
            counted[path] = len(statements)
        return counted

    few = asked()
    for number in range(8):
        user = make_user("agent", name=f"Person {number}", teams=[team])
        records.place(user, levels["junior"], "Begun.", None)
        goals.add(db.session.get_one(type(user), filled["person"]), f"Goal {number}", None, None)
    assert asked() == few


def test_the_page_of_somebody_reads_the_ladder_once(
    junior: Any, chief: Any, asks: Any, levels: Any, sign_in: Any, count_queries: Any
) -> None:
    asks("intermediate", ("career.solved", 2))
    client, path = sign_in(chief), f"/p/career/people/{junior.id}?target={levels['intermediate'].id}"
    client.get(path)
    with count_queries() as statements:
        assert client.get(path).status_code == 200
    assert len([one for one in statements if "FROM career_track" in one]) == 1
    assert len(statements) <= 20
