"""Customers say whether it is solved: the mail that asks, the two links, and silence."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk.api import Reject
from helpdesk.core import links, settings, workflow
from helpdesk.core.channels.composing import compose
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Delivery, Event, Message, Ticket
from helpdesk.core.settings import LatenessSettings
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import confirming

DAY = timedelta(days=1)


def mails() -> list[tuple[str, str, bool]]:
    rows = db.session.scalars(select(Delivery).order_by(Delivery.id))
    return [(row.kind, row.address, bool(row.data.get("asks"))) for row in rows]


def statuses_of(ticket: Ticket) -> list[tuple[str, str]]:
    query = select(Event).where(Event.ticket_id == ticket.id, Event.kind == "ticket_status_changed")
    return [(event.data["to"], event.data.get("reason", "")) for event in db.session.scalars(query.order_by(Event.id))]


@pytest.mark.db
def test_who_solves_with_an_answer_asks_in_it_and_who_does_without_asks_by_a_mail(
    make_user: Any, make_ticket: Any
) -> None:
    rita, otto, agent = make_user(locale="en"), make_user(), make_user("agent")
    ticket = make_ticket(requester=rita, follower_ids=[otto.id])
    workflow.reply(ticket, MessageDraft("It is repaired.", status="solved"), agent)
    assert mails() == [("reply", rita.email, True), ("reply", otto.email, True)]
    to_rita, to_otto = db.session.scalars(select(Delivery).order_by(Delivery.id)).all()
    with speaking("en"):
        rita_reads, otto_reads = compose(to_rita, "en"), compose(to_otto, "en")
    for link in (links.solved_url(ticket, rita), links.unsolved_url(ticket, rita)):
        assert link in rita_reads.text and f'href="{link}"' in rita_reads.html
    assert rita_reads.text.startswith("It is repaired.\n\n")
    assert "/solved" not in otto_reads.text + otto_reads.html

    workflow.reopen(ticket, agent)
    workflow.solve(ticket, agent)
    assert mails()[2:] == [("solved", rita.email, False)]
    mail = db.session.scalars(select(Delivery).where(Delivery.kind == "solved")).one()
    with speaking("zh_Hans"):
        read = compose(mail, "zh_Hans")
    assert links.solved_url(ticket, rita) in read.text and read.automatic and f"#{ticket.number}" not in read.subject


def test_nobody_is_asked_who_solved_it_or_cannot_answer_or_when_the_owner_wants_none(
    make_user: Any, make_ticket: Any
) -> None:
    agent = make_user("agent")
    own = make_ticket()
    workflow.solve(own, own.requester)
    assert own.confirmed_at is not None
    closed = make_ticket()
    workflow.close(closed, agent)
    gone = make_ticket(requester=make_user(bounced_at=now()))
    workflow.solve(gone, agent)
    settings.save(LatenessSettings, {"ask_customer": "no"}, None)
    workflow.solve(make_ticket(), agent)
    workflow.reply(make_ticket(), MessageDraft("Done.", status="solved"), agent)
    assert [(kind, asks) for kind, _address, asks in mails()] == [("reply", False)]


@pytest.mark.db
def test_a_customer_confirms_once_or_opens_it_again_with_words_or_without(make_user: Any, make_ticket: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    with pytest.raises(workflow.Invalid):
        workflow.confirm_solved(ticket, ticket.requester)
    workflow.solve(ticket, agent)
    workflow.deny_solved(ticket, ticket.requester)
    assert ticket.category == "open" and ticket.reopened == 1
    workflow.solve(ticket, agent)
    workflow.deny_solved(ticket, ticket.requester, "It still rubs.")
    assert ticket.category == "open" and ticket.reopened == 2
    workflow.solve(ticket, agent)
    workflow.confirm_solved(ticket, ticket.requester)
    version = ticket.version
    workflow.confirm_solved(ticket, ticket.requester)
    assert (ticket.category, ticket.version) == ("closed", version) and ticket.confirmed_at is not None
    kinds = db.session.scalars(select(Event.kind).where(Event.kind == "ticket_confirmed")).all()
    assert len(kinds) == 1


@pytest.mark.db
def test_silence_closes_after_some_days_and_a_word_or_a_plugin_keeps_it_open(
    make_user: Any, make_ticket: Any, travel: Any, plug: Any
) -> None:
    agent = make_user("agent")
    silent, talks, kept, late = (make_ticket(name) for name in ("silent", "talks", "kept", "late"))
    begin = now()
    for ticket in (silent, talks, kept):
        workflow.solve(ticket, agent)

    def refuses(ticket: Ticket, status: Any) -> None:
        if ticket.subject == "kept" and status.category == "closed":
            raise Reject("A survey is open.")

    plug("polls", before_status_changed=refuses)
    travel(begin + 5 * DAY)
    workflow.solve(late, agent)
    workflow.deny_solved(talks, talks.requester, "Hm.")
    travel(begin + 6 * DAY)
    ledger.schedule(confirming.JOB)
    run_due()
    db.session.expire_all()
    assert [ticket.category for ticket in (silent, talks, kept, late)] == ["solved", "open", "solved", "solved"]
    travel(begin + 7.01 * DAY)
    ledger.schedule(confirming.JOB)
    run_due()
    run_due()
    db.session.expire_all()
    assert [ticket.category for ticket in (silent, talks, kept, late)] == ["closed", "open", "solved", "solved"]
    assert statuses_of(silent) == [("solved", ""), ("closed", "silence")]
    # Not long ago: with a word it opens again; without one nobody would know why.
    assert workflow.may_deny(silent)
    with pytest.raises(workflow.Invalid):
        workflow.deny_solved(silent, silent.requester)
    workflow.deny_solved(silent, silent.requester, "It broke again.")
    assert silent.category == "open"
    settings.save(LatenessSettings, {"close_days": "0"}, None)
    travel(begin + 400 * DAY)
    ledger.schedule(confirming.JOB)
    run_due()
    db.session.expire_all()
    assert late.category == "solved"


def test_a_customer_who_writes_while_the_job_runs_keeps_the_ticket_open(
    app: Flask, make_user: Any, make_ticket: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = make_ticket()
    workflow.solve(ticket, make_user("agent"))
    travel(now() + 8 * DAY)
    ask, number = confirming.ask_plugins, ticket.id

    def writes_first(found: Ticket, status: Any, actor: Any) -> None:
        ask(found, status, actor)
        workflow.reply(found, MessageDraft("Wait!"), found.requester)

    monkeypatch.setattr(confirming, "ask_plugins", writes_first)
    ledger.schedule(confirming.JOB)
    run_due()
    db.session.expire_all()
    assert db.session.get_one(Ticket, number).category == "open"


@pytest.mark.db
def test_the_links_of_a_mail_show_a_button_and_only_the_button_acts(
    app: Flask, make_user: Any, make_ticket: Any
) -> None:
    client, agent = app.test_client(), make_user("agent")
    ticket = make_ticket(requester=make_user(locale="en"))
    number = ticket.id
    workflow.solve(ticket, agent)
    yes, no = links.solved_url(ticket, ticket.requester), links.unsolved_url(ticket, ticket.requester)
    for link in (yes, no, yes, no):
        page = client.get(link)
        assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    assert db.session.get_one(Ticket, number).category == "solved"
    assert client.get(yes.replace("/solved", "x/solved")).status_code == 404

    answer = client.post(no, data={"text": "It still rubs."}, follow_redirects=True)
    assert answer.status_code == 200 and "It still rubs." in answer.text
    assert db.session.get_one(Ticket, number).category == "open"
    # The other link of the same mail, after that.
    assert "not solved yet" in client.get(yes).text
    answer = client.post(yes)
    assert answer.status_code == 422 and "opened again" in answer.text
    db.session.rollback()
    workflow.solve(db.session.get_one(Ticket, number), None)
    page = client.get(yes.replace("/solved", ""))
    assert "Yes, it is solved" in page.text
    answer = client.post(yes, follow_redirects=True)
    assert "This ticket is closed" in answer.text
    assert client.post(yes).status_code == 303
    db.session.rollback()
    assert db.session.get_one(Ticket, number).category == "closed"
    answer = client.post(no, data={"text": "  "})
    assert answer.status_code == 422 and "what is still wrong" in answer.text
    client.post(no, data={"text": "It broke again."})
    db.session.rollback()
    assert db.session.get_one(Ticket, number).category == "open"
    assert db.session.scalars(select(Message.text).order_by(Message.id.desc()).limit(1)).one() == "It broke again."
    with transaction():
        found = db.session.get_one(Ticket, number)
        found.access_key = "0" * 32
    assert client.get(yes).status_code == 404
