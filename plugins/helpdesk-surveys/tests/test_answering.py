"""Answers: by a signed link of one person, by a link for everybody, changed until the end; what is bad is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import counting, surveys
from helpdesk_surveys.answering import MOST_CHANGES, answer, open_link, open_public
from helpdesk_surveys.gates import MOST_OF_ONE
from helpdesk_surveys.links import new_key, token
from helpdesk_surveys.models import ANSWERED, Day, Invitation, Response, Survey
from helpdesk_surveys.settings import SurveySettings

from helpdesk.api import Event, Invalid, Refused, Ticket, User, db, hookimpl, transaction

Make = Callable[..., Survey]
FORM = {
    "texts": {},
    "items": [
        {"key": "why", "kind": "text", "required": True, "page": 1, "text": {"en": "Why?"}},
        {"key": "one", "kind": "single", "required": True, "page": 1, "text": {"en": "Which?"},
         "options": [{"key": "a", "text": {"en": "A"}}, {"key": "b", "text": {"en": "B"}}]},
        {"key": "some", "kind": "multiple", "page": 2, "text": {"en": "Which?"},
         "options": [{"key": "a", "text": {"en": "A"}}, {"key": "b", "text": {"en": "B"}}]},
        {"key": "much", "kind": "scale", "page": 2, "most": 5, "text": {"en": "How much?"}},
        {"key": "day", "kind": "date", "page": 2, "text": {"en": "When?"}},
    ],
}  # fmt: skip


def responses() -> list[Response]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(Response).order_by(Response.id)))


def counted(name: str = "answers") -> int:
    total = db.session.scalar(db.select(db.func.sum(getattr(Day, name))).where(Day.cut == "total"))
    return int(total or 0)


@pytest.mark.db
def test_an_answer_is_kept_once_and_can_be_changed(
    survey: Make, solved: Any, ticket: Ticket, anna: User, agent: User, plug: Any, run_jobs: Any
) -> None:
    """Sent twice it is one; a comment later; another score; the counts follow, and other plugins hear of it."""
    heard: list[tuple[Any, ...]] = []

    @hookimpl(optionalhook=True)
    def surveys_answered(response_id: int, kind: str, score: int, comment: str, person_id: int, changed: bool) -> None:
        heard.append((kind, score, comment, person_id, changed))

    plug("probe", surveys_answered=surveys_answered)
    survey()
    one = solved()
    text = token(one)
    asked = open_link(text)
    assert asked is not None and asked.is_open and asked.response is None
    assert (asked.person_name, asked.ticket.id) == ("Anna Berg", ticket.id)
    assert responses() == [] and counted() == 0
    first, second = answer(asked, 2), answer(open_link(text.upper()), 2)
    assert first.id == second.id and counted("n2") == 1
    assert (first.agent_id, first.ticket_id, first.user_id) == (agent.id, ticket.id, anna.id)
    answer(open_link(text), 2, "<b>Slow</b>\r\n=1+1")
    answer(open_link(text), 4)
    (kept,) = responses()
    assert (kept.score, kept.comment, kept.changes) == (4, "<b>Slow</b>\n=1+1", 2)
    assert (counted(), counted("n2"), counted("n4"), counted("total"), counted("squares")) == (1, 0, 1, 4, 16)
    db.session.refresh(one)
    assert (one.state, open_link(text).response.id) == (ANSWERED, kept.id)
    run_jobs()
    assert heard == [
        ("csat", 2, "", anna.id, False),
        ("csat", 2, "<b>Slow</b>\n=1+1", anna.id, True),
        ("csat", 4, "<b>Slow</b>\n=1+1", anna.id, True),
    ]
    said = db.session.scalars(db.select(Event).where(Event.kind == "surveys.given")).all()
    assert [event.ticket_id for event in said] == [ticket.id]


def test_altered_and_expired_links(survey: Make, solved: Any, travel: Any, make_ticket: Any, make_user: Any) -> None:
    """Forged and unknown look alike; what has closed says so, whether or not a worker was there, and keeps nothing."""
    survey(closes_days=5)
    one = solved()
    other = solved(make_ticket("Another", requester=make_user(name="Otto")))
    mine, theirs = token(one), token(other)
    number, signature = mine.split("-")
    for text in ("", "x", f"{other.id:x}-{signature}", f"{number}-{signature[::-1]}", f"{10**17:x}-{signature}",
                 f"{number}-{signature}0", f"{number}\u0660-{signature}", theirs.replace("-", "_")):  # fmt: skip
        assert open_link(text) is None
    asked = open_link(mine)
    travel(days=6)
    late = open_link(mine)
    assert late is not None and late.state == "closed"
    for opened in (asked, late):
        with pytest.raises(Refused, match="closed"):
            answer(opened, 5)
    assert responses() == []


def test_what_is_not_offered_is_refused(survey: Make, solved: Any) -> None:
    """A score outside the scale, one between thumbs, none at all, a comment without an end."""
    survey(look="thumbs")
    text = token(solved())
    for score in (None, 0, 3, 6, -1, 10**9):
        with pytest.raises(Invalid) as caught:
            answer(open_link(text), score)
        assert caught.value.field == "score"
    with pytest.raises(Invalid) as caught:
        answer(open_link(text), 5, "x" * 10_001)
    assert caught.value.field == "comment" and responses() == []
    assert answer(open_link(text), 1, "a\x00b").comment == "ab"


def test_a_questionnaire_with_pages(survey: Make, solved: Any) -> None:
    """A page is checked by itself, the last one checks all; what is not asked is dropped; old questions stay."""
    made = survey(texts=FORM, kind="form")
    text = token(solved())

    def fails(field: str, answers: dict[str, Any], **how: Any) -> None:
        with pytest.raises(Invalid) as caught:
            answer(open_link(text), None, None, answers, **how)
        assert caught.value.field == field

    fails("why", {"one": "a"}, page=1, final=False)
    fails("one", {"why": "So", "one": "c"}, page=1, final=False)
    fails("why", {"some": ["a"]}, page=2)
    answer(open_link(text), None, None, {"why": "So", "one": "a", "evil": "x", "much": "9"}, page=1, final=False)
    fails("much", {"much": "6"}, page=2)
    fails("much", {"much": "\u0665"}, page=2)
    fails("day", {"day": "2026-02-30"}, page=2)
    fails("some", {"some": ["z"]}, page=2)
    surveys.save_texts(made, {"texts": {}, "items": FORM["items"][:1]}, None)
    surveys.publish_version(made, None)
    kept = answer(open_link(text), None, "Well", {"some": ["b", "a"], "much": "5", "day": "2026-02-28"}, page=2)
    assert kept.answers == {"why": "So", "one": "a", "some": ["a", "b"], "much": 5, "day": "2026-02-28"}
    assert (kept.version.number, kept.score, counted("total"), counted()) == (1, None, 0, 1)


def test_a_program_that_plays_with_a_link_writes_no_more(survey: Make, solved: Any) -> None:
    survey()
    text = token(solved())
    for number in range(MOST_CHANGES + 1):
        answer(open_link(text), 1 + number % 2)
    with pytest.raises(Refused, match="too often"):
        answer(open_link(text), 5)
    (kept,) = responses()
    assert (kept.changes, kept.score, counted(), counted("n1")) == (MOST_CHANGES, 1, 1, 1)


@pytest.mark.db
def test_a_link_for_everybody(survey: Make, configure: Any, travel: Any, run_jobs: Any, boss: User) -> None:
    """A form sent twice is one answer; a bot is slowed down from one place and in all, and writes nothing then."""
    configure(SurveySettings, link_most=30)
    made = survey(occasion="link", kind="nps")
    run_jobs()
    text = made.link_key
    asked = open_public(text)
    assert asked is not None and asked.response is None and asked.person_name == ""
    with pytest.raises(Refused):
        # Without the number of a form nothing is kept: nobody could tell it from the next one.
        answer(asked, 9)
    paper = open_public(text, asked.nonce, "es")
    assert answer(paper, 9, address="192.0.2.1").id == answer(open_public(text, asked.nonce), 9).id
    answer(open_public(text, asked.nonce), 3, "Why", address="192.0.2.1")
    (kept,) = responses()
    assert (kept.score, kept.user_id, kept.invitation_id, kept.language, kept.channel) == (3, None, None, "es", "link")

    def flood(number: int, address: str) -> int:
        done = 0
        for _number in range(number):
            try:
                answer(open_public(text, new_key()), 0, address=address)
                done += 1
            except Refused:
                pass
        return done

    assert flood(40, "192.0.2.1") == MOST_OF_ONE - 2
    before = len(responses())
    assert flood(5, "192.0.2.1") == 0
    assert len(responses()) == before
    assert flood(20, "2001:db8::1") + flood(20, "2001:db8:0:1::1") == 30 - MOST_OF_ONE
    travel(minutes=11)
    assert flood(3, "192.0.2.1") == 3
    surveys.new_link(made, boss)
    assert open_public(text) is None and open_public("nothing") is None
    surveys.switch(made, False, boss)
    assert open_public(made.link_key).state == "closed"


def test_a_switched_off_survey_still_takes_answers_of_who_was_asked(survey: Make, solved: Any, boss: User) -> None:
    made = survey()
    text = token(solved())
    surveys.switch(made, False, boss)
    assert answer(open_link(text), 5).score == 5
    with pytest.raises(Invalid) as caught:
        surveys.save(made, {"kind": "nps"}, boss)
    assert caught.value.field == "kind"


def test_saving_says_what_is_wrong(survey: Make, boss: User, agent: User) -> None:
    made = survey(on=False)
    team_rule = {"least": 1, "most": 2, "do": "ticket", "team_id": None, "tag": ""}
    for field, values in (
        ("name", {"name": " "}),
        ("name", {"name": "x" * 101}),
        ("kind", {"kind": "stars"}),
        ("closes_days", {"closes_days": 0}),
        ("quiet_from", {"quiet_from": 24}),
        ("rules", {"rules": [{"most": 6, "do": "ticket"}]}),
        ("rules", {"rules": [{"most": 2, "do": "burn"}]}),
        ("rules", {"rules": [{"most": 2, "do": "tag", "tag": ""}]}),
        ("rules", {"rules": [team_rule], "anonymous": True}),
        ("rules", {"rules": [{**team_rule, "team_id": 4_711}]}),
    ):
        with pytest.raises(Invalid) as caught:
            surveys.save(made, values, boss)
        assert caught.value.field == field
        db.session.refresh(made)
    with pytest.raises(Invalid) as caught:
        surveys.save(None, {"name": "how was IT?"}, boss)
    assert caught.value.field == "name"
    for field, texts in (
        ("q1.text", {"items": [{"kind": "text"}]}),
        ("q1.kind", {"items": [{"kind": "video", "text": {"en": "?"}}]}),
        ("q1.options", {"items": [{"kind": "single", "text": {"en": "?"}, "options": [{"text": {"en": "A"}}]}]}),
        ("question", {"texts": {"question": {"klingon!": "?"}}}),
    ):
        with pytest.raises(Invalid) as caught:
            surveys.save_texts(made, texts, boss)
        assert caught.value.field == field
    new = surveys.save(None, {"name": "New"}, boss)
    with pytest.raises(Invalid) as caught:
        surveys.switch(new, True, boss)
    assert caught.value.field == "active"


def test_two_at_the_same_moment_are_one(survey: Make, solved: Any) -> None:
    """Both have opened the page before either has sent it."""
    survey()
    text = token(solved())
    one, two = open_link(text), open_link(text)
    assert answer(one, 1).id == answer(two, 5).id
    assert (counted(), counted("n5"), counted("n1")) == (1, 1, 0)
    with transaction():
        again = db.session.scalar(db.select(Invitation).limit(1))
        assert counting.week_of(again.sent_at) <= again.sent_at < counting.week_of(again.sent_at) + timedelta(days=7)
