"""The customer's page by the link of a mail; the editor, the figures and the lists of the team."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import links, surveys
from helpdesk_surveys.models import SENT, Invitation, Response, Survey, Version

from helpdesk.api import Ticket, User, db, now, transaction

ROOM = "/p/surveys"


def path_of(url: str) -> str:
    return url.removeprefix("http://desk.example")


def change(row: Any, **values: Any) -> None:
    with transaction():
        for key, value in values.items():
            setattr(row, key, value)


def answers() -> list[Response]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Response).order_by(Response.id)))


@pytest.fixture
def admin(make_user: Any) -> User:
    return make_user("admin", name="Ada Admin")


@pytest.fixture
def anna(make_user: Any) -> User:
    return make_user(name="Anna Berg", email="anna@customer.example")


@pytest.fixture
def ticket(make_ticket: Any, anna: User) -> Ticket:
    return make_ticket("Where is my order?", requester=anna)


@pytest.fixture
def make_survey(admin: User) -> Callable[..., Survey]:
    """A survey that is on, with the usual words unless something else is said."""

    def make(texts: dict[str, Any] | None = None, **values: Any) -> Survey:
        survey = surveys.save(None, {"name": "After a solution", **values}, admin)
        if texts is not None:
            surveys.save_texts(survey, {"texts": {}, "items": [], **texts}, admin)
        surveys.publish_version(survey, admin)
        return surveys.switch(survey, True, admin)

    return make


@pytest.fixture
def invite(ticket: Ticket) -> Callable[..., Invitation]:
    """An invitation that was mailed to the customer of the ticket."""

    def make(survey: Survey, **values: Any) -> Invitation:
        usual: dict[str, Any] = {
            "survey_id": survey.id, "version_id": survey.version_id, "user_id": ticket.requester_id,
            "ticket_id": ticket.id, "key": links.new_key(), "state": SENT, "sent_at": now(),
            "closes_at": now() + timedelta(days=14),
        }  # fmt: skip
        row = Invitation(**{**usual, **values})
        with transaction():
            db.session.add(row)
        return row

    return make


ITEMS = [
    {"key": "q1", "kind": "single", "required": True, "page": 1, "text": {"en": "Which product?", "es": "¿Qué producto?"},
     "options": [{"key": "1", "text": {"en": "Bicycle", "es": "Bicicleta"}}, {"key": "2", "text": {"en": "Helmet"}}]},
    {"key": "q2", "kind": "multiple", "required": False, "page": 2, "text": {"en": "What did you use?"},
     "options": [{"key": "1", "text": {"en": "Mail"}}, {"key": "2", "text": {"en": "Phone"}}]},
    {"key": "q3", "kind": "date", "required": False, "page": 2, "text": {"en": "When did you buy it?"}},
    {"key": "q4", "kind": "scale", "required": True, "page": 3, "most": 5, "text": {"en": "How good is it?"}},
    {"key": "q5", "kind": "text", "required": False, "page": 3, "text": {"en": "What else?"}},
]  # fmt: skip


# ---- the customer


def test_opening_a_link_records_nothing_and_the_button_does(
    client: Any, make_survey: Any, invite: Any, ticket: Ticket, count_queries: Any
) -> None:
    """One click in the mail shows the choice; a comment goes with it; the same again is one; then it can be changed."""
    url = path_of(links.url(invite(make_survey()), 2))
    client.get(url)
    with count_queries() as statements:
        page = client.get(url)
    assert page.status_code == 200 and len(statements) <= 6, "\n".join(statements)
    assert re.search(r'name="score" value="2" checked', page.text) and "You have chosen “Dissatisfied”" in page.text
    assert "Where is my order?" in page.text and "We ask Anna Berg." in page.text and answers() == []
    assert client.head(url).status_code == 200 and answers() == []
    plain = url.partition("?")[0]
    form = {"score": "2", "comment": "It <b>broke</b>\r\nagain. =1+1", "step": "0"}
    for _press in range(2):
        sent = client.post(plain, data=form)
        assert sent.status_code == 303
    [kept] = answers()
    assert (kept.score, kept.comment, kept.ticket_id) == (2, "It <b>broke</b>\nagain. =1+1", ticket.id)
    thanks = client.get(sent.location)
    assert "Thank you" in thanks.text and "It &lt;b&gt;broke&lt;/b&gt;" in thanks.text and "Dissatisfied" in thanks.text
    # The mail is opened once more: another choice is shown, and the comment is still there.
    again = client.get(f"{plain}?score=5")
    assert 'value="5" checked' in again.text and "It &lt;b&gt;broke" in again.text and "Change my answer" in again.text
    assert client.get(f"{plain}?change=1").text.count('value="2" checked') == 1
    client.post(plain, data={"score": "5", "comment": "", "step": "0"})
    [kept] = answers()
    assert (kept.score, kept.comment) == (5, "")


@pytest.mark.parametrize("score", ["", "0", "6", "4.0", "４", "-1", "1" * 400, "five"])
def test_a_choice_that_there_is_not_is_none(client: Any, make_survey: Any, invite: Any, score: str) -> None:
    """In the address it chooses nothing; in the form it is said, and the comment is kept."""
    url = path_of(links.url(invite(make_survey())))
    page = client.get(url, query_string={"score": score})
    assert page.status_code == 200 and " checked" not in page.text
    refused = client.post(url, data={"score": score, "comment": "Kept & typed"})
    assert refused.status_code == 422 and "Choose one of the answers." in refused.text
    assert "Kept &amp; typed" in refused.text and answers() == []


def test_closed_forged_and_cut_links(client: Any, make_survey: Any, invite: Any) -> None:
    """Each says what is the matter, in one sentence; nothing is kept."""
    survey = make_survey()
    late = invite(survey, closes_at=now() - timedelta(minutes=1))
    url = path_of(links.url(late))
    for page in (client.get(f"{url}?score=3"), client.post(url, data={"score": "3"})):
        assert page.status_code == 410 and "This survey is closed" in page.text
    for bad in (
        url[:-1],
        f"{url}0",
        url[:-4] + "0000",
        f"{ROOM}/a/x",
        f"{ROOM}/a/1-{'0' * 32}",
        f"{ROOM}/l/{'0' * 32}",
    ):
        for page in (client.get(bad), client.post(bad, data={"score": "3"})):
            assert page.status_code == 404 and "This link does not work" in page.text, bad
    assert answers() == []


def test_the_page_speaks_the_language_of_the_person(client: Any, make_survey: Any, invite: Any, ticket: Ticket) -> None:
    """With the owner's words where there are some in it, with the usual ones elsewhere."""
    survey = make_survey({"texts": {"question": {"en": "All well?", "zh_Hans": "一切都好吗？"}}})
    page = client.get(path_of(links.url(invite(survey, language="zh_Hans"))))
    assert 'lang="zh-Hans"' in page.text and "一切都好吗？" in page.text and "All well?" not in page.text
    arabic = client.get(path_of(links.url(invite(survey, language="ar", occurrence=1))))
    assert 'dir="rtl"' in arabic.text


def test_a_questionnaire_goes_by_pages_and_keeps_what_was_typed(client: Any, make_survey: Any, invite: Any) -> None:
    """Forwards and back without a script; what is required is asked for; the answer keeps the questions of then."""
    survey = make_survey({"items": ITEMS}, kind="form")
    url = path_of(links.url(invite(survey)))
    first = client.get(url)
    assert "Which product?" in first.text and "What did you use?" not in first.text and "Next" in first.text
    missing = client.post(url, data={"step": "0", "comment": "Early words"})
    assert missing.status_code == 422 and "Please answer this question." in missing.text
    assert "Early words" in missing.text
    form = {"step": "0", "comment": "Early words", "q1": "1"}
    second = client.post(url, data=form)
    assert second.status_code == 200 and "Page 2 of 3" in second.text and 'name="q1"' in second.text
    form |= {"step": "1", "q2": ["1", "2"], "q3": "tomorrow"}
    wrong = client.post(url, data=form)
    assert wrong.status_code == 422 and "Write a day such as" in wrong.text and "tomorrow" in wrong.text
    form["q3"] = "2026-03-01"
    back = client.post(url, data={**form, "back": "1"})
    assert re.search(r'name="q1" value="1" checked', back.text) and "2026-03-01" in back.text
    third = client.post(url, data=form)
    assert "Page 3 of 3" in third.text and answers() == []
    # Whoever leaves a page out by hand is led to it.
    skipped = client.post(url, data={"step": "2", "q4": "4"})
    assert skipped.status_code == 422 and "Which product?" in skipped.text
    done = client.post(url, data={**form, "step": "2", "q4": "4", "q5": "=HYPERLINK(1)"})
    assert done.status_code == 303
    [kept] = answers()
    assert kept.answers == {"q1": "1", "q2": ["1", "2"], "q3": "2026-03-01", "q4": "4", "q5": "=HYPERLINK(1)"} or (
        kept.answers["q4"] in (4, "4") and kept.comment == "Early words")  # fmt: skip


def test_a_survey_by_link_takes_an_answer_of_anybody_once(client: Any, make_survey: Any) -> None:
    survey = make_survey(kind="nps", occasion="link")
    url = path_of(links.public_url(survey))
    page = client.get(url)
    nonce = re.search(r'name="nonce" value="([0-9a-f]+)"', page.text)
    assert nonce is not None and "How likely are you to recommend" in page.text
    for _press in range(2):
        sent = client.post(url, data={"nonce": nonce[1], "score": "9", "comment": "Good"})
        assert sent.status_code == 303
    assert "Thank you" in client.get(sent.location).text
    [kept] = answers()
    assert (kept.score, kept.user_id, kept.ticket_id) == (9, None, None)
