"""Types and topics: a tree that is kept whole, and tickets that keep what they have."""

from typing import Any

import pytest

from helpdesk.core import ticket_types, topics, workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Event, Topic
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.workflow import Invalid, Stale

pytestmark = pytest.mark.db
add = topics.add_topic


def tree() -> list[str]:
    return [f"{one.depth} {topics.full_name(one.id)}" for one in topics.every()]


def change(topic: Topic, **values: Any) -> None:
    parent = db.session.get(Topic, topic.parent_id) if topic.parent_id else None
    kept = {"name": topic.name, "parent": parent, "active": topic.active, "public": topic.public}
    topics.change_topic(topic, None, **{**kept, **values})


def test_the_tree_is_moved_renamed_and_cut_without_losing_a_ticket(app: Any, make_ticket: Any) -> None:
    shipping, returns = add("Shipping", None, None), add("Returns", None, None)
    abroad = add("Abroad", shipping, None)
    islands = add("Islands", abroad, None)
    assert tree() == ["1 Shipping", "2 Shipping › Abroad", "3 Shipping › Abroad › Islands", "1 Returns"]
    change(abroad, parent=returns, name="Far", texts={"zh_Hans": "海外"})
    assert tree() == ["1 Shipping", "1 Returns", "2 Returns › Far", "3 Returns › Far › Islands"]
    assert topics.full_name(islands.id, locale="zh_Hans") == "Returns › 海外 › Islands"
    assert set(topics.below(returns.id)) == {returns.id, abroad.id, islands.id}
    assert islands.path == f"/{returns.id}/{abroad.id}/{islands.id}/"
    topics.move_topic(returns, -1, None)
    assert tree()[0] == "1 Returns"
    # What is switched off takes what is below it along, and a ticket keeps it.
    change(abroad, active=False)
    assert [one.id for one in topics.offered()] == [returns.id, shipping.id]
    assert islands.id in [one.id for one in topics.offered(beside=islands.id)]
    change(abroad, active=True)
    one, other = make_ticket(), make_ticket()
    workflow.set_topic(one, abroad, None)
    workflow.set_topic(other, islands, None)
    assert topics.delete_topic(abroad, None, None) == 1
    assert tree() == ["1 Returns", "2 Returns › Islands", "1 Shipping"]
    db.session.refresh(one), db.session.refresh(other)
    assert (one.topic_id, other.topic_id) == (returns.id, islands.id)
    assert topics.delete_topic(returns, shipping, None) == 1
    db.session.refresh(one)
    assert one.topic_id == shipping.id and set(tree()) == {"1 Islands", "1 Shipping"}
    actions = set(db.session.scalars(db.select(AuditEntry.action)))
    assert {"topic.created", "topic.changed", "topic.moved", "topic.deleted"} <= actions


def test_what_a_tree_cannot_be_gets_a_sentence(app: Any, make_user: Any) -> None:
    line = [add("1", None, None)]
    for level in range(2, topics.DEPTH + 1):
        line.append(add(str(level), line[-1], None))
    other = add("other", None, None)
    wrong = [
        lambda: add("six", line[-1], None),
        lambda: change(other, parent=line[-1]),
        lambda: change(line[0], parent=line[-1]),
        lambda: change(line[0], parent=line[0]),
        lambda: add("OTHER", None, None),
        lambda: add(" ", None, None),
        lambda: add("x" * 81, None, None),
        lambda: topics.delete_topic(other, other, None),
    ]
    for act in wrong:
        with pytest.raises(Invalid):
            act()
    with pytest.raises(NotAllowed):
        add("Mine", None, make_user("agent"))
    assert len(topics.every()) == topics.DEPTH + 1


def test_tickets_get_type_and_topic_like_a_priority(app: Any, make_ticket: Any, make_user: Any) -> None:
    agent, colleague, ticket = make_user("agent"), make_user("agent"), make_ticket()
    kind, topic = ticket_types.add_type("Return", None), add("Shipping", None, None)
    version = ticket.version
    workflow.set_type(ticket, kind, agent)
    workflow.set_type(ticket, kind, agent)
    events = db.session.scalars(db.select(Event).where(Event.kind == "ticket_updated")).all()
    assert [(event.data["field"], event.data["to_name"]) for event in events] == [("type", "Return")]
    # Another fact changed meanwhile: no conflict. The same one: a choice.
    workflow.set_topic(ticket, topic, colleague, version)
    with pytest.raises(Stale):
        workflow.set_topic(ticket, None, agent, version)
    ticket_types.change_type(kind, "Return", False, None)
    topics.change_topic(topic, None, name="Shipping", parent=None, active=False, public=False)
    assert (ticket.type_id, ticket.topic_id) == (kind.id, topic.id)
    other = make_ticket()
    for act in (lambda: workflow.set_type(other, kind, agent), lambda: workflow.set_topic(other, topic, agent)):
        with pytest.raises(Invalid):
            act()
    with pytest.raises(NotAllowed):
        workflow.set_type(ticket, None, ticket.requester)
    assert ticket_types.options() == [] and ticket_types.options(beside=kind.id) == [(kind.id, "Return")]
