"""Merging as agents do it, and what customers see of it."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from helpdesk.core import links, workflow
from helpdesk.core.channels.threading import find_thread
from helpdesk.core.drafts import IntakeDraft, MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Message, Ticket, User


def path(ticket: Ticket, user: User) -> str:
    return f"/t/{links.token(links.FOLLOW, ticket, user)}"


def texts(ticket: Ticket) -> list[str]:
    query = select(Message.text).where(Message.ticket_id == ticket.id).order_by(Message.created_at, Message.id)
    return list(db.session.scalars(query))


@pytest.mark.db
def test_customers_of_merged_tickets_read_only_what_is_theirs(
    client: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    make_user("admin")
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    ritas = make_ticket(requester=rita, subject="Ritas lock", text="words of rita")
    ottos = make_ticket(requester=otto, subject="Ottos shop", text="words of otto")
    workflow.reply(ottos, MessageDraft("answer to otto"), jonas)
    workflow.reply(ritas, MessageDraft("answer to rita"), jonas)
    workflow.merge(ritas, [ottos], jonas, different_people=True)
    page = client.get(path(ottos, otto)).text
    assert "words of otto" in page and "answer to otto" in page and "goes on" in page
    assert "rita" not in page.replace(rita.email, "").lower(), "nothing of the other one, not even its subject"
    assert "Closed" not in page
    page = client.get(path(ritas, rita)).text
    assert "words of rita" in page and "otto" not in page.lower()
    onward = client.get(path(ritas, otto)).text
    assert "words of" not in onward and "answer to" not in onward, "nothing that was written before"
    workflow.reply(ritas, MessageDraft("to both of you"), jonas)
    assert "to both of you" in client.get(path(ritas, otto)).text
    assert "to both of you" in client.get(path(ritas, rita)).text
    assert "to both of you" not in client.get(path(ottos, otto)).text


def test_the_same_persons_link_leads_on_and_answers_land_in_the_survivor(
    client: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    make_user("admin")
    rita, jonas = make_user(), make_user("agent")
    first, second, third = (make_ticket(requester=rita, subject=f"Lock {turn}") for turn in "abc")
    workflow.reply(second, MessageDraft("Which lock?"), jonas)
    identity = db.session.scalars(select(Delivery.identity).where(Delivery.ticket_id == second.id)).first()
    (inner,) = workflow.merge(third, [second], jonas)
    workflow.merge(first, [third], jonas)
    answer = client.get(path(second, rita))
    assert answer.status_code == 303 and answer.location == path(first, rita)
    sent = client.post(f"{path(second, rita)}/reply", data={"text": "The blue one."})
    assert sent.status_code == 303 and texts(first)[-1] == "The blue one."
    mails = [
        {"reply_tokens": [links.token(links.REPLY, second, rita)]},
        {"references": [identity], "in_reply_to": identity},
    ]
    for mail in mails:
        draft = IntakeDraft(channel="post", sender_address=rita.email, subject="Re: Lock b", text="x", **mail)
        assert find_thread(draft).ticket.id == first.id
    workflow.unmerge(inner, jonas)
    draft = IntakeDraft(channel="post", sender_address=rita.email, subject="Re: Lock b", text="x", **mails[0])
    assert find_thread(draft).ticket.id == second.id


def test_who_no_longer_follows_the_survivor_gets_a_ticket_of_their_own_again(
    client: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    make_user("admin")
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    ritas, ottos = make_ticket(requester=rita), make_ticket(requester=otto, text="words of otto")
    token = links.token(links.REPLY, ottos, otto)
    workflow.merge(ritas, [ottos], jonas, different_people=True)
    workflow.unfollow(ritas, otto, jonas)
    draft = IntakeDraft(channel="post", sender_address=otto.email, subject="x", text="x", reply_tokens=[token])
    thread = find_thread(draft)
    assert thread.ticket is None and thread.reason == f"closed:{ottos.id}"
    page = client.get(path(ottos, otto))
    assert page.status_code == 200 and "words of otto" in page.text and "ask us anew" in page.text
    assert client.get(path(ritas, otto)).status_code == 404


def _post(client: FlaskClient, *ids: int, survivor: int = 0, **data: str) -> Any:
    return client.post("/desk/merge", data={"ids": [str(number) for number in ids], "survivor": str(survivor), **data})


@pytest.mark.db
def test_an_agent_merges_looks_back_and_undoes(sign_in: Any, make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(name="Rita"), make_user("agent")
    first = make_ticket(requester=rita, subject="Brake squeaks", text="It squeaks.")
    second = make_ticket(requester=rita, subject="Re: brake squeaks", text="It still squeaks.")
    other = make_ticket(requester=rita, subject="Invoice", text="Where is it?")
    desk = sign_in(jonas)
    page = desk.get(f"/desk/tickets/{second.id}/merge").text
    assert page.index("Brake squeaks</a>") < page.index("Invoice</a>"), "the likeliest first"
    assert f"ids={second.id},{other.id}" in desk.get(f"/desk/tickets/{second.id}/merge?q=%23{other.id}").text.replace(
        "%2C", ","
    )
    page = desk.get(f"/desk/merge?ids={second.id},{first.id}").text
    assert f'value="{first.id}" checked' in page, "the oldest goes on unless somebody chooses"
    answer = _post(desk, second.id, first.id, survivor=first.id)
    assert answer.status_code == 303
    page = desk.get(answer.location).text
    assert "It still squeaks." in page and f"#{second.id} was merged into this ticket" in page
    onward = desk.get(f"/desk/tickets/{second.id}")
    assert onward.status_code == 303 and f"/tickets/{first.id}" in onward.location
    as_it_was = desk.get(f"/desk/tickets/{second.id}?here=1").text
    assert "It still squeaks." in as_it_was and "It squeaks." not in as_it_was and "goes on there" in as_it_was
    undo = as_it_was.split('/undo"')[0].rpartition('"')[2] + "/undo"
    assert desk.post(undo).status_code == 303
    assert "It still squeaks." in desk.get(f"/desk/tickets/{second.id}").text
    assert "It still squeaks." not in desk.get(f"/desk/tickets/{first.id}").text


def test_what_speaks_against_a_merge_is_said_beside_the_choice(sign_in: Any, make_user: Any, make_ticket: Any) -> None:
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    first, second, foreign = make_ticket(requester=rita), make_ticket(requester=rita), make_ticket(requester=otto)
    desk = sign_in(jonas)
    page = _post(desk, first.id, foreign.id, survivor=first.id)
    assert page.status_code == 422 and "All of them may read what comes next" in page.text
    page = _post(desk, first.id, second.id)
    assert page.status_code == 422 and "Choose in which ticket they go on." in page.text
    page = _post(desk, first.id, second.id, 999_999, survivor=first.id)
    assert page.status_code == 409 and "#999999 is not there any more" in page.text
    assert _post(desk, first.id, foreign.id, survivor=first.id, different_people="1").status_code == 303
    assert db.session.get(Ticket, foreign.id).merged_into_id == first.id
    for ids in ("", "x", "²", "1,2,3", ",".join("9" * 19 for _ in range(40))):
        assert desk.get("/desk/merge", query_string={"ids": ids}).status_code == 200
    # Written while somebody merged it: the text comes back, for the ticket in which it goes on.
    form = {"mode": "reply", "text": "My long answer", "once": "k"}
    sent = desk.post(f"/desk/tickets/{foreign.id}/messages", data=form)
    assert sent.status_code == 422 and "My long answer" in sent.text and f"/tickets/{first.id}/messages" in sent.text


@pytest.mark.db
def test_a_page_tells_who_else_is_here(sign_in: Any, make_user: Any, make_ticket: Any, count_queries: Any) -> None:
    ticket = make_ticket(requester=make_user())
    names = {"anna@desk.example": "Anna Bell", "ben@desk.example": "Ben <b>Hook</b>"}
    anna, ben = (sign_in(make_user("agent", email=email, name=name)) for email, name in names.items())
    address = f"/desk/tickets/{ticket.id}/presence"
    assert anna.post(address).text == ""
    ben.post(address, data={"writing": "reply"})
    assert "Ben &lt;b&gt;Hook&lt;/b&gt; is writing a reply" in anna.post(address).text
    with count_queries() as asked:
        anna.post(address)
    assert not [line for line in asked if not line.lstrip().upper().startswith("SELECT")] and len(asked) <= 5
    assert ben.post(address, data={"leaving": "1"}).status_code == 204
    assert anna.post(address).text == ""
    assert anna.post("/desk/tickets/999999/presence").status_code == 404


def test_links_and_splits_are_made_and_taken_back_on_the_page(sign_in: Any, make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    ticket = make_ticket(requester=rita, subject="Brake squeaks", text="It squeaks.")
    other = make_ticket(requester=rita, subject="Re: brake squeaks")
    desk = sign_in(jonas)
    side = f"/desk/tickets/{ticket.id}/side"
    assert f"Looks like #{other.id} of the same person" in desk.get(side).text
    bad = desk.post(f"/desk/tickets/{ticket.id}/links", data={"other": "#999999", "kind": "related"})
    assert bad.status_code == 422 and "no ticket of this number" in bad.text and 'value="#999999"' in bad.text
    desk.post(f"/desk/tickets/{ticket.id}/links", data={"other": f"#{other.id}", "kind": "duplicate"})
    assert "same question</span>" in desk.get(side).text
    desk.post(f"/desk/tickets/{other.id}/links/remove", data={"other": ticket.id})
    assert "same question</span>" not in desk.get(side).text
    message = workflow.reply(ticket, MessageDraft("The bell, too."), rita)
    form = f"/desk/tickets/{ticket.id}/split?from={message.id}"
    assert (
        form.replace("&", "&amp;") in desk.get(f"/desk/tickets/{ticket.id}").text and desk.get(form).status_code == 200
    )
    sent = desk.post(f"/desk/tickets/{ticket.id}/split", data={"from": message.id, "subject": " ", "how": "onwards"})
    assert sent.status_code == 422 and "needs a subject" in sent.text
    sent = desk.post(f"/desk/tickets/{ticket.id}/split", data={"from": message.id, "subject": "Bell", "how": "onwards"})
    assert "The bell, too." in desk.get(sent.location).text
    assert "The bell, too." not in desk.get(f"/desk/tickets/{ticket.id}").text
    assert "split off</span>" in desk.get(side).text


def test_no_ticket_offers_to_split_off_its_only_message(sign_in: Any, make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    ticket = make_ticket(requester=rita, subject="Brake squeaks", text="It squeaks.")
    first = db.session.scalars(select(Message.id).where(Message.ticket_id == ticket.id)).one()
    desk, page = sign_in(jonas), f"/desk/tickets/{ticket.id}"
    assert "split?from=" not in desk.get(page).text
    second = workflow.reply(ticket, MessageDraft("The bell, too."), rita).id
    assert f"split?from={second}" in desk.get(page).text and f"split?from={first}" not in desk.get(page).text
    # What is left stands below what happened to the ticket.
    sent = desk.post(f"{page}/split", data={"from": first, "subject": "Brake", "how": "one"})
    for address in (sent.location, page):
        assert "split?from=" not in desk.get(address).text


@pytest.mark.db
def test_the_link_that_is_shown_after_a_form_does_not_lead_into_the_survivor(
    client: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    """Anybody can send the form under the address of somebody else: it proves nothing, merged or not."""
    make_user("admin")
    rita, jonas = make_user(), make_user("agent")
    real = make_ticket(requester=rita, subject="Ritas lock", text="words of rita")
    forged = make_ticket(requester=rita, subject="Me again", text="words of a stranger")
    opened = f"/t/{links.token(links.OPENED, forged, rita)}"
    workflow.merge(real, [forged], jonas)
    page = client.get(opened)
    assert page.status_code == 200 and "words of a stranger" in page.text
    assert "Ritas lock" not in page.text and "words of rita" not in page.text and "Go on there" not in page.text
    told = client.post(f"{opened}/reply", data={"text": "Tell me more."})
    assert told.status_code == 422 and f"merged into #{real.id}" not in told.text
    assert client.post(f"{opened}/solved").status_code == 422
    for verb in ("solved", "unsolved"):
        assert "Ritas lock" not in client.get(f"{opened}/{verb}").text
    assert client.get(path(forged, rita)).location == path(real, rita), "the mailed link goes on"
    assert texts(real) == ["words of rita", "words of a stranger"] and real.category != "closed"
