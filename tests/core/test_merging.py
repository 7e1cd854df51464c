"""Several tickets made one, and that undone: what moves, what stays, who may read it."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from helpdesk.core import personal_data, search, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Follower, Message, Ticket, User
from helpdesk.core.permissions import NotAllowed, visible_tickets
from helpdesk.core.transaction import transaction


def texts(ticket: Ticket) -> list[str]:
    query = select(Message.text).where(Message.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(Message.created_at, Message.id)))


def facts(ticket: Ticket) -> tuple[Any, ...]:
    db.session.refresh(ticket)
    tags = sorted(tag.name for tag in ticket.tags)
    followers = sorted(db.session.scalars(select(Follower.user_id).where(Follower.ticket_id == ticket.id)))
    shown = (ticket.last_message_by, ticket.last_message_at, ticket.snippet)
    return ticket.status.key, ticket.category, ticket.solved_at, ticket.due_at, tags, followers, shown


@pytest.mark.db
def test_messages_go_to_the_survivor_and_come_back(make_user: Any, make_ticket: Any) -> None:
    rita, jonas, lea = make_user(), make_user("agent"), make_user()
    first = make_ticket(requester=rita, text="The lock is stuck.", tags=["lock"])
    second = make_ticket(requester=rita, text="It is still stuck.", tags=["late"], follower_ids=[lea.id])
    workflow.solve(first, jonas)
    before = facts(first), facts(second)
    (merge,) = workflow.merge(first, [second], jonas)
    assert texts(first) == ["The lock is stuck.", "It is still stuck."] and texts(second) == []
    assert (second.category, second.merged_into_id, second.solved_at) == ("closed", first.id, None)
    assert first.category == "open", "what the customer asks in the other one waits for us"
    assert sorted(tag.name for tag in first.tags) == ["late", "lock"] and first.snippet == "It is still stuck."
    assert db.session.get(Follower, (first.id, lea.id)) is not None
    workflow.reply(first, MessageDraft("Bring it in."), jonas)
    workflow.unmerge(merge, jonas)
    assert texts(first) == ["The lock is stuck.", "Bring it in."], "what was written since stays"
    assert texts(second) == ["It is still stuck."]
    assert facts(second) == before[1]
    assert facts(first)[4:6] == before[0][4:6]
    version = second.version
    workflow.unmerge(merge, jonas)
    assert second.version == version, "once is enough"
    kinds = select(Event.kind).where(Event.ticket_id == second.id).order_by(Event.id)
    assert list(db.session.scalars(kinds))[-2:] == ["ticket_merged_away", "merge_undone"]


def test_a_chain_is_undone_link_by_link_in_any_order(make_user: Any, make_ticket: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    one, two, three = (make_ticket(requester=rita, text=text) for text in ("one", "two", "three"))
    (inner,) = workflow.merge(two, [one], jonas)
    workflow.note(two, MessageDraft("between"), jonas)
    (outer,) = workflow.merge(three, [two], jonas)
    assert sorted(texts(three)) == ["between", "one", "three", "two"]
    assert workflow.survivor_of(one).id == three.id
    with pytest.raises(workflow.Invalid, match="already"):
        workflow.merge(one, [three], jonas)
    workflow.unmerge(inner, jonas)
    assert texts(one) == ["one"] and sorted(texts(three)) == ["between", "three", "two"]
    workflow.unmerge(outer, jonas)
    assert sorted(texts(two)) == ["between", "two"] and texts(three) == ["three"]
    assert [ticket.merged_into_id for ticket in (one, two, three)] == [None] * 3
    (again,) = workflow.merge(two, [one], jonas)
    workflow.merge(three, [two], jonas)
    workflow.unmerge(db.session.get(type(outer), again.id + 1), jonas)
    assert sorted(texts(two)) == ["between", "one", "two"], "what it had taken in goes back with it"


@pytest.mark.db
def test_two_who_merge_at_once_make_no_circle(make_user: Any, make_ticket: Any, at_once: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    numbers = [make_ticket(requester=rita).id for _ in range(2)]
    agent = jonas.id

    def merge(turn: int) -> Any:
        survivor, other = (db.session.get(Ticket, numbers[(turn + side) % 2]) for side in range(2))
        return workflow.merge(survivor, [other], db.session.get(type(jonas), agent))

    answers = at_once(2, merge)
    assert sorted(type(answer) for answer in answers if isinstance(answer, Exception)) == [workflow.Invalid]
    db.session.expire_all()
    into = {number: db.session.get(Ticket, number).merged_into_id for number in numbers}
    assert sorted(into.values(), key=str) in ([numbers[0], None], [numbers[1], None])


def test_what_cannot_be_merged_is_said(make_user: Any, make_ticket: Any) -> None:
    rita, otto, jonas = make_user(), make_user(), make_user("agent")
    ticket, other, foreign = make_ticket(requester=rita), make_ticket(requester=rita), make_ticket(requester=otto)
    with pytest.raises(workflow.Invalid, match="at least two"):
        workflow.merge(ticket, [], jonas)
    with pytest.raises(workflow.Invalid, match="itself"):
        workflow.merge(ticket, [ticket, other], jonas)
    with pytest.raises(workflow.Invalid, match="different people"):
        workflow.merge(ticket, [foreign], jonas)
    with pytest.raises(NotAllowed):
        workflow.merge(ticket, [other], rita)
    workflow.close(ticket, jonas)
    with pytest.raises(workflow.Invalid, match="closed"):
        workflow.merge(ticket, [other], jonas)
    workflow.merge(other, [ticket], jonas)
    with pytest.raises(workflow.Merged, match=f"#{other.id}"):
        workflow.reply(ticket, MessageDraft("Hello"), jonas)


@pytest.mark.db
def test_five_thousand_messages_move_by_as_few_statements_as_five(
    make_user: Any, make_ticket: Any, count_queries: Any
) -> None:
    rita, jonas = make_user(), make_user("agent")
    counted = []
    for size in (5, 5000):
        survivor, other = make_ticket(requester=rita), make_ticket(requester=rita)
        rows = [{"ticket_id": other.id, "text": f"{number}", "created_at": now()} for number in range(size - 1)]
        with transaction():
            db.session.execute(insert(Message), rows)
        with count_queries() as merging:
            (merge,) = workflow.merge(survivor, [other], jonas)
        assert len(texts(survivor)) == size + 1
        with count_queries() as undoing:
            workflow.unmerge(merge, jonas)
        assert len(texts(survivor)) == 1 and len(texts(other)) == size
        counted.append((len(merging), len(undoing)))
    assert counted[1] <= counted[0], "none of them in a loop"


@pytest.mark.db
def test_the_search_follows_what_is_merged_and_undone(make_user: Any, make_ticket: Any, run_jobs: Any) -> None:
    rita, jonas = make_user(), make_user("agent")
    first, second = make_ticket(requester=rita, text="A lock."), make_ticket(requester=rita, text="A quixotic bell.")

    def found() -> list[int]:
        run_jobs()
        criterion = search.ticket_ids_criterion("quixotic", jonas)
        return list(db.session.scalars(visible_tickets(jonas).where(criterion).with_only_columns(Ticket.id)))

    assert found() == [second.id]
    (merge,) = workflow.merge(first, [second], jonas)
    assert found() == [first.id]
    workflow.unmerge(merge, jonas)
    assert found() == [second.id]


@pytest.mark.db
def test_who_is_erased_leaves_nothing_in_what_was_merged(make_user: Any, make_ticket: Any, run_jobs: Any) -> None:
    rita, jonas, lea = make_user(name="Rita Quill"), make_user("agent"), make_user(name="Lea")
    survivor = make_ticket(requester=lea, text="A lock.")
    theirs = make_ticket("Bell of Rita Quill", requester=rita, text="A quixotic bell.")
    workflow.merge(survivor, [theirs], jonas, different_people=True)
    run_jobs()
    personal_data.erase(db.session.get_one(User, rita.id), None)
    run_jobs()
    assert texts(survivor)[0] == "A lock." and "quixotic" not in " ".join(texts(survivor))
    db.session.refresh(theirs)
    assert "Quill" not in theirs.subject and theirs.merged_into_id == survivor.id
    criterion = search.ticket_ids_criterion("quixotic", jonas)
    assert db.session.scalars(visible_tickets(jonas).where(criterion)).all() == []
