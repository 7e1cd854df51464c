"""A key is used up in the transaction that writes, whatever happens in it."""

from collections.abc import Callable
from typing import Any

import pytest

from helpdesk.core import idempotency, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Once, Repeated, Reused
from helpdesk.core.models import Event, IdempotencyKey, Message, Ticket, User
from helpdesk.core.transaction import transaction


@pytest.fixture
def ticket(make_ticket: Any, make_user: Any) -> Ticket:
    found: Ticket = make_ticket(assignee=make_user("agent"))
    return found


def of(words: str, key: str = "k", owner: str = "user:1") -> Once:
    return idempotency.once(key, "reply", owner, [words])


def rows() -> tuple[int, int, int]:
    db.session.rollback()
    models = (IdempotencyKey, Message, Event)
    keys, messages, events = (db.session.scalar(db.select(db.func.count()).select_from(model)) for model in models)
    return keys or 0, messages or 0, events or 0


@pytest.mark.db
def test_of_eight_at_once_one_is_done_and_the_others_learn_what_came_of_it(ticket: Ticket, at_once: Any) -> None:
    number, agent, before = ticket.id, ticket.assignee_id, rows()

    def send(place: int) -> int:
        # One of them says something else: it does not know what the others wrote.
        sent = of("Other" if place == 7 else "The same")

        def act() -> Message:
            draft = MessageDraft("Sent", prepared=True)
            return workflow.reply(db.session.get_one(Ticket, number), draft, db.session.get(User, agent))

        return sent.run(act).id

    results = at_once(8, send)
    done = [result for result in results if isinstance(result, int)]
    assert len(done) == 1
    refused = [result for result in results if not isinstance(result, int)]
    assert all(isinstance(result, Repeated | Reused) for result in refused), results
    assert all(result.result_id == done[0] for result in refused if isinstance(result, Repeated))
    assert sum(isinstance(result, Reused) for result in refused) in (1, 7)
    keys, messages, events = rows()
    # The reply, and the status that it brought about.
    assert (keys, messages - before[1], events - before[2]) == (1, 1, 2)


@pytest.mark.db
def test_what_fails_uses_nothing_up(ticket: Ticket) -> None:
    before = rows()

    def fail() -> Message:
        workflow.reply(ticket, MessageDraft("Sent", prepared=True), ticket.assignee)
        raise ZeroDivisionError

    sent = of("The same")
    with pytest.raises(ZeroDivisionError):
        sent.run(fail)
    assert rows() == before and not sent.used
    of("The same").check()


def test_it_joins_the_open_transaction(ticket: Ticket) -> None:
    def act() -> Message:
        return workflow.note(ticket, MessageDraft("Noted", prepared=True), ticket.assignee)

    with pytest.raises(ZeroDivisionError), transaction():
        of("The same").run(act)
        raise ZeroDivisionError
    assert rows()[0] == 0
    with transaction():
        made = of("The same").run(act).id
        with pytest.raises(Repeated) as first:
            of("The same").run(act)
    assert first.value.result_id == made and rows()[0] == 1


def test_a_key_counts_for_one_owner_purpose_and_secret(
    ticket: Ticket, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    of("The same").run(lambda: ticket)
    with pytest.raises(Repeated):
        of("The same").check()
    with pytest.raises(Reused, match="sent before with other content"):
        of("Other").check()
    free: list[Callable[[], Once]] = [
        lambda: of("The same", key="l"),
        lambda: of("The same", owner="user:2"),
        lambda: of("The same", key=""),
        lambda: idempotency.once("k", "note", "user:1", ["The same"]),
    ]
    for sent in free:
        sent().check()
    # Who has the table alone cannot try what somebody may have written.
    monkeypatch.setattr(app, "secret_key", "another")
    of("The same").check()
