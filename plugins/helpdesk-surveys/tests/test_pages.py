"""The customer's page by the link of a mail; the editor, the figures and the lists of the team."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import answering, links, surveys
from helpdesk_surveys.models import SENT, FollowUp, Invitation, Response, Suppression, Survey, Version

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
def invite(ticket: Ticket) -> Callable[..., Invitation]:
    """An invitation that was mailed to the customer of the ticket."""

    def make(asked: Survey, **values: Any) -> Invitation:
        usual: dict[str, Any] = {
            "survey_id": asked.id, "version_id": asked.version_id, "user_id": ticket.requester_id,
            "ticket_id": ticket.id, "key": links.new_key(), "state": SENT, "sent_at": now(),
            "closes_at": now() + timedelta(days=14),
        }  # fmt: skip
        row = Invitation(**{**usual, **values})
        with transaction():
            db.session.add(row)
        return row

    return make


ITEMS = [
    {"key": "q1", "kind": "single", "required": True, "page": 1, "text": {"en": "Which product?", "es": "¿Qué?"},
     "options": [{"key": "1", "text": {"en": "Bicycle", "es": "Bicicleta"}}, {"key": "2", "text": {"en": "Helmet"}}]},
    {"key": "q2", "kind": "multiple", "required": False, "page": 2, "text": {"en": "What did you use?"},
     "options": [{"key": "1", "text": {"en": "Mail"}}, {"key": "2", "text": {"en": "Phone"}}]},
    {"key": "q3", "kind": "date", "required": False, "page": 2, "text": {"en": "When did you buy it?"}},
    {"key": "q4", "kind": "scale", "required": True, "page": 3, "most": 5, "text": {"en": "How good is it?"}},
    {"key": "q5", "kind": "text", "required": False, "page": 3, "text": {"en": "What else?"}},
]  # fmt: skip


# ---- the customer


def test_opening_a_link_records_nothing_and_the_button_does(
    client: Any, survey: Any, invite: Any, ticket: Ticket, count_queries: Any
) -> None:
    """One click in the mail shows the choice; a comment goes with it; the same again is one; then it can be changed."""
    url = path_of(links.url(invite(survey()), 2))
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
def test_a_choice_that_there_is_not_is_none(client: Any, survey: Any, invite: Any, score: str) -> None:
    """In the address it chooses nothing; in the form it is said, and the comment is kept."""
    url = path_of(links.url(invite(survey())))
    page = client.get(url, query_string={"score": score})
    assert page.status_code == 200 and " checked" not in page.text
    refused = client.post(url, data={"score": score, "comment": "Kept & typed"})
    assert refused.status_code == 422 and "Choose one of the answers." in refused.text
    assert "Kept &amp; typed" in refused.text and answers() == []


def test_closed_forged_and_cut_links(client: Any, survey: Any, invite: Any) -> None:
    """Each says what is the matter, in one sentence; nothing is kept."""
    made = survey()
    late = invite(made, closes_at=now() - timedelta(minutes=1))
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


def test_the_page_speaks_the_language_of_the_person(client: Any, survey: Any, invite: Any, ticket: Ticket) -> None:
    """With the owner's words where there are some in it, with the usual ones elsewhere."""
    made = survey({"texts": {"question": {"en": "All well?", "zh_Hans": "一切都好吗？"}}})
    page = client.get(path_of(links.url(invite(made, language="zh_Hans"))))
    assert 'lang="zh-Hans"' in page.text and "一切都好吗？" in page.text and "All well?" not in page.text
    arabic = client.get(path_of(links.url(invite(made, language="ar", occurrence=1))))
    assert 'dir="rtl"' in arabic.text


def test_a_questionnaire_goes_by_pages_and_keeps_what_was_typed(client: Any, survey: Any, invite: Any) -> None:
    """Forwards and back without a script; what is required is asked for; the answer keeps the questions of then."""
    made = survey({"items": ITEMS}, kind="form")
    url = path_of(links.url(invite(made)))
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
    assert kept.comment == "Early words" and kept.answers["q2"] == ["1", "2"] and str(kept.answers["q4"]) == "4"
    assert (kept.answers["q1"], kept.answers["q3"], kept.answers["q5"]) == ("1", "2026-03-01", "=HYPERLINK(1)")


def test_a_survey_by_link_takes_an_answer_of_anybody_once(client: Any, survey: Any) -> None:
    made = survey(kind="nps", occasion="link")
    url = path_of(links.public_url(made))
    page = client.get(url)
    nonce = re.search(r'name="nonce" value="([0-9a-f]+)"', page.text)
    assert nonce is not None and "How likely are you to recommend" in page.text
    for _press in range(2):
        sent = client.post(url, data={"nonce": nonce[1], "score": "9", "comment": "Good"})
        assert sent.status_code == 303
    assert "Thank you" in client.get(sent.location).text
    [kept] = answers()
    assert (kept.score, kept.user_id, kept.ticket_id) == (9, None, None)


# ---- the team


@pytest.fixture
def answered(survey: Any, invite: Any, agent: User) -> Callable[..., Response]:
    """An answer by a link: about the agent's ticket, four of five, unless something else is said."""

    def make(score: int | None = 4, comment: str = "", made: Survey | None = None, **values: Any) -> Response:
        row = invite(made or survey(), agent_id=agent.id, channel="email", language="en", **values)
        asked = answering.open_link(links.token(row))
        assert asked is not None
        return answering.answer(asked, score, comment, {})

    return make


FORM = {"name": "After repairs", "kind": "csat", "look": "faces", "occasion": "solved", "delay_hours": "24",
        "rhythm_days": "90", "quiet_from": "20", "quiet_until": "8", "reminder_days": "3", "closes_days": "14",
        "min_group": "5", "team_id": "", "skip_tags": "test, internal", "skip_complaints": "1"}  # fmt: skip


def test_a_survey_is_made_worded_published_and_switched(
    as_supervisor: Any, as_admin: Any, sign_in: Any, agent: User, make_team: Any
) -> None:
    """register_blueprints, register_acts, admin_rooms, nav_items: what is wrong is said, what was typed stays."""
    team = make_team("Workshop")
    room = f"{ROOM}/surveys"
    assert sign_in(agent).get(room).status_code == 403
    assert "No survey yet" in as_supervisor.get(room).text and "No survey yet" in as_supervisor.get(f"{ROOM}/").text
    rule = {"rule-0-least": "1", "rule-0-most": "2", "rule-0-do": "ticket", "rule-0-team_id": str(team.id)}
    for field, value, sentence in (
        ("name", "", "Fill this in."),
        ("delay_hours", "soon", "Enter a number from 0 to 720."),
        ("occasion", "birthday", "Choose one of the list."),
        ("closes_days", "0", "Enter a number from 1 to 180."),
        ("rule-0-most", "6", "Enter a number from 1 to 5."),
        ("rule-0-most", "0", "Enter a number from 1 to 5."),
        ("rule-0-least", "3", "The second score is below the first."),
        ("rule-0-team_id", "950017", "Choose one of the list."),
        ("rule-0-do", "tag", "Write the tag."),
    ):
        refused = as_supervisor.post(f"{room}/new", data={**FORM, **rule, field: value})
        assert refused.status_code == 422 and sentence in refused.text and "test, internal" in refused.text, field
    assert as_supervisor.post(f"{room}/new", data={**FORM, **rule}).status_code == 303
    [made] = db.session.scalars(db.select(Survey))
    assert (made.name, sorted(made.skip_tags), made.active) == ("After repairs", ["internal", "test"], False)
    assert [(one["least"], one["most"], one["do"], one["team_id"]) for one in made.rules] == [(1, 2, "ticket", team.id)]
    page = as_supervisor.get(f"{room}/{made.id}")
    assert "never published" in page.text and 'name="rule-1-do"' in page.text
    twice = as_supervisor.post(f"{room}/new", data={**FORM, **rule})
    assert twice.status_code == 422 and "There is a survey of this name already." in twice.text

    # Its words: the usual ones stand in grey, in the language that is looked at.
    words = f"{room}/{made.id}/words"
    assert 'placeholder="How satisfied are you with our help?"' in as_supervisor.get(words).text
    assert "您对我们的帮助满意吗？" in as_supervisor.get(f"{words}?locale=zh_Hans").text
    as_supervisor.post(words, data={"locale": "en", "question": "All well?"})
    db.session.refresh(made)
    assert made.texts["texts"]["question"] == {"en": "All well?"} and made.version_id is None
    assert "All well?" in as_supervisor.get(f"{room}/{made.id}/preview").text
    # Switched on, it is published.
    done = as_supervisor.post(f"{room}/{made.id}/on", follow_redirects=True)
    assert "The survey is on." in done.text
    db.session.refresh(made)
    assert (
        made.active and db.session.get_one(Version, made.version_id).questions["texts"]["question"]["en"] == "All well?"
    )
    as_supervisor.post(words, data={"locale": "es", "question": "¿Todo bien?"})
    assert "Changed, not published" in as_supervisor.get(words).text
    as_supervisor.post(words, data={"locale": "en", "question": "All really well?", "publish": "1"})
    db.session.refresh(made)
    newest = db.session.get_one(Version, made.version_id)
    assert newest.number == 2 and newest.questions["texts"]["question"] == {
        "en": "All really well?",
        "es": "¿Todo bien?",
    }
    assert as_supervisor.post(f"{room}/{made.id}", data={**FORM, "name": "Repairs"}).status_code == 303
    as_supervisor.post(f"{room}/{made.id}/off")
    db.session.refresh(made)
    assert (made.name, made.active, made.rules) == ("Repairs", False, [])
    assert as_supervisor.get(f"{room}/950017").status_code == 404
    record = as_admin.get("/admin/audit").text
    for said in ("Survey added", "Survey changed", "Words of a survey published", "Survey switched on or off"):
        assert said in record
    assert f'href="{room}"' in as_admin.get("/admin/").text
    assert f'href="{ROOM}/"' in sign_in(agent).get("/desk/reports").text


def test_questions_are_added_ordered_worded_and_taken_out(as_supervisor: Any, survey: Any) -> None:
    """Choices keep their key when their words are corrected or moved, so that other languages stay with them."""
    made = survey({"texts": {}, "items": ITEMS}, kind="form")
    words = f"{ROOM}/surveys/{made.id}/words"
    page = as_supervisor.get(f"{words}?add=1")
    assert 'value="q6"' in page.text and "Bicycle\nHelmet" in page.text

    def row(number: int, key: str, text: str, kind: str, **more: str) -> dict[str, str]:
        return {f"item-{number}-{name}": value for name, value in
                {"key": key, "text": text, "kind": kind, "page": "1", **more}.items()}  # fmt: skip

    form = {
        "locale": "en",
        **row(0, "q1", "Which product?", "single", options="Helmet\nBike\nLock", place="2"),
        **row(1, "q6", "How was it?", "scale", most="7", required="1", place="1"),
        **row(2, "q2", "What did you use?", "multiple", options="Mail\nPhone", gone="1"),
        **row(3, "q7", "", "text"),
    }
    few = as_supervisor.post(words, data={**form, "item-0-options": "One"})
    assert few.status_code == 422 and "Write two choices at least" in few.text and "How was it?" in few.text
    empty = as_supervisor.post(words, data={**form, "item-0-text": ""})
    assert empty.status_code == 303, "its words in Spanish are still there"
    assert as_supervisor.post(words, data=form).status_code == 303
    db.session.refresh(made)
    assert [item["key"] for item in made.texts["items"]] == ["q6", "q1"]
    scale, choice = made.texts["items"]
    assert (scale["most"], scale["required"]) == (7, True)
    assert [option["text"].get("en") for option in choice["options"]] == ["Helmet", "Bike", "Lock"]
    keys = {option["text"]["en"]: option["key"] for option in choice["options"]}
    assert keys["Helmet"] == "2" and len(set(keys.values())) == 3
    # In another language one line for each.
    spanish = {"locale": "es", **row(0, "q6", "¿Qué tal?", "scale", most="7"),
               **row(1, "q1", "¿Qué producto?", "single", options="Casco")}  # fmt: skip
    wrong = as_supervisor.post(words, data=spanish)
    assert wrong.status_code == 422 and "There are 3 choices; write one line for each." in wrong.text
    as_supervisor.post(words, data={**spanish, "item-1-options": "Casco\nBici\nCandado"})
    db.session.refresh(made)
    assert [option["text"]["es"] for option in made.texts["items"][1]["options"]] == ["Casco", "Bici", "Candado"]


def test_figures_open_their_answers_and_their_tickets(
    as_admin: Any, answered: Any, survey: Any, ticket: Ticket, count_queries: Any, place: Any
) -> None:
    """dashboard_widgets as well: what is few is marked, and eight questions to the database are enough."""
    made = survey()
    answered(2, "Too slow & late", made)
    address = f"{ROOM}/?survey={made.id}"
    as_admin.get(address)
    with count_queries() as statements:
        page = as_admin.get(address)
    ours = [one for one in statements if "surveys_" in one]
    assert page.status_code == 200 and len(ours) <= 8, "\n".join(ours)
    assert "0%" in page.text and ">few<" in page.text and "Very dissatisfied" in page.text and "Abe Agent" in page.text
    behind = re.search(rf'href="({ROOM}/answers[^"]*score=2[^"]*)"', page.text)
    assert behind is not None
    listed = as_admin.get(behind[1].replace("&amp;", "&"))
    assert "Too slow &amp; late" in listed.text and f'href="/desk/tickets/{ticket.id}"' in listed.text
    assert "Too slow" not in as_admin.get(f"{ROOM}/answers?survey={made.id}&score=5").text
    assert "Too slow" not in as_admin.get(f"{ROOM}/answers?survey={made.id}&first=2020-01-01&last=2020-02-01").text
    assert "Take “Abe Agent” away" in as_admin.get(f"{address}&agent={answers()[0].agent_id}").text
    for query, sentence in (
        ("first=soon", "These days cannot be read"),
        ("first=2026-02-01&last=2026-01-01", "The last day is before the first"),
        ("first=2010-01-01&last=2020-01-01", "These are too many days"),
    ):
        for where in (address, f"{ROOM}/answers?survey={made.id}"):
            refused = as_admin.get(f"{where}&{query}")
            assert refused.status_code == 422 and sentence in refused.text
    [widget] = place("dashboard_widgets", as_admin.user)
    assert "How was it?" in widget.html and "1 answer" in widget.html


def test_a_file_of_answers_calculates_nothing(as_admin: Any, answered: Any) -> None:
    answered(1, "=HYPERLINK(1)")
    file = as_admin.get(f"{ROOM}/answers.csv")
    assert (
        file.mimetype == "text/csv"
        and "'=HYPERLINK(1)" in file.text
        and "attachment" in file.headers["Content-Disposition"]
    )


def test_agents_see_their_own_answers(
    sign_in: Any, make_user: Any, as_admin: Any, answered: Any, agent: User, ticket: Ticket, count_queries: Any,
    place: Any,
) -> None:  # fmt: skip
    """ticket_panels, user_panels: in lists, by address and beside the ticket."""
    row = answered(1, "Zinnober")
    other = sign_in(make_user("agent", name="Mia Stern"))
    own = sign_in(agent)
    for browser, sees in ((own, True), (other, False), (as_admin, True)):
        for page in (f"{ROOM}/answers", f"{ROOM}/answers.csv", f"/desk/tickets/{ticket.id}/side"):
            assert ("Zinnober" in browser.get(page).text) is sees, page
        assert browser.get(f"{ROOM}/answers/{row.id}").status_code == (200 if sees else 404)
    assert f"{ROOM}/answers/{row.id}" in own.get(f"/desk/people/{ticket.requester_id}").text
    with count_queries() as statements:
        [panel] = place("ticket_panels", ticket, agent)
    ours = [one for one in statements if "surveys_" in one]
    assert len(ours) == 1 and "Zinnober" in panel.html, "\n".join(ours)
    change(ticket.requester, care_mail=False)
    assert "Wants no such mail, so is not asked." in own.get(f"/desk/people/{ticket.requester_id}").text


def test_a_follow_up_is_marked(sign_in: Any, make_user: Any, agent: User, answered: Any) -> None:
    """Contacted, then resolved; a note that is too long is still there."""
    row = answered(1, "Too slow")
    with transaction():
        task = FollowUp(response_id=row.id, action="tell")
        db.session.add(task)
    browser, address = sign_in(agent), f"{ROOM}/follow-ups/{task.id}"
    assert "Too slow" in browser.get(f"{ROOM}/follow-ups").text
    long = browser.post(address, data={"state": "contacted", "note": "Spoke. " + "x" * 2_000})
    assert long.status_code == 422 and "Spoke. xxx" in long.text and "This is too long" in long.text
    assert browser.post(address, data={"state": "done"}).status_code == 422
    assert browser.post(address, data={"state": "contacted", "note": "Spoke."}).status_code == 303
    db.session.refresh(task)
    assert (task.state, task.note, task.marked_by_id) == ("contacted", "Spoke.", agent.id)
    assert "Too slow" not in browser.get(f"{ROOM}/follow-ups").text
    assert "Too slow" in browser.get(f"{ROOM}/follow-ups?state=contacted").text
    assert sign_in(make_user("agent")).post(address, data={"state": "resolved"}).status_code == 404


def test_anonymous_answers_are_hidden_until_there_are_enough(as_admin: Any, answered: Any, survey: Any) -> None:
    made = survey(anonymous=True)
    answered(1, "Zinnober", made)
    for page in (f"{ROOM}/?survey={made.id}", f"{ROOM}/answers?survey={made.id}"):
        shown = as_admin.get(page).text
        assert "Fewer than 5 anonymous answers" in shown and "Zinnober" not in shown
    for number in range(2, 6):
        answered(number % 5 + 1, "Lapis" if number == 2 else "", made, occurrence=number)
    listed = as_admin.get(f"{ROOM}/answers?survey={made.id}").text
    assert "Lapis" in listed and "Anna Berg" not in listed and "Where is my order?" not in listed
    one = as_admin.get(f"{ROOM}/answers/{answers()[0].id}").text
    assert "Zinnober" in one and "Anna Berg" not in one and "Abe Agent" not in one and "Week of" not in one


def test_asking_by_hand_and_who_was_not_asked(
    as_admin: Any, sign_in: Any, agent: User, survey: Any, ticket: Ticket, anna: User
) -> None:
    """ticket_actions: supervisors ask; whoever wants no such mail is not asked, and the list says so."""
    address = f"{ROOM}/tickets/{ticket.id}/ask"
    assert sign_in(agent).get(address).status_code == 403
    assert "No survey is asked by hand" in as_admin.get(address).text
    made = survey(occasion="hand")
    assert address in as_admin.get(f"/desk/tickets/{ticket.id}").text
    assert as_admin.post(address, data={"survey": "950017"}).status_code == 422
    change(anna, care_mail=False)
    refused = as_admin.post(address, data={"survey": made.id})
    assert refused.status_code == 422 and "wants no mails" in refused.text
    assert "Wants no such mail" in as_admin.get(f"{ROOM}/surveys/{made.id}/left-out").text
    assert db.session.scalar(db.select(Suppression.why)) == "opted_out"
    change(anna, care_mail=True)
    assert as_admin.post(address, data={"survey": made.id}).status_code == 303
    asked = f"{ROOM}/surveys/{made.id}/asked"
    assert "Anna Berg" in as_admin.get(asked).text and "Anna Berg" not in as_admin.get(f"{asked}?state=closed").text


def test_a_link_is_renewed(client: Any, as_supervisor: Any, survey: Any) -> None:
    made = survey(occasion="link")
    old = path_of(links.public_url(made))
    assert links.public_url(made) in as_supervisor.get(f"{ROOM}/surveys/{made.id}").text
    as_supervisor.post(f"{ROOM}/surveys/{made.id}/link")
    db.session.refresh(made)
    assert client.get(old).status_code == 404 and client.get(path_of(links.public_url(made))).status_code == 200
    surveys.switch(made, False, None)
    assert client.get(path_of(links.public_url(made))).status_code == 410
