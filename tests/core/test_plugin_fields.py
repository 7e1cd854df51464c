"""Ticket fields that plugins contribute: made once, the owner's afterwards, hidden while the plugin is off."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask_babel import lazy_gettext

from helpdesk.api import Field, hookimpl
from helpdesk.core import fields, plugin_fields, plugin_states, schema, workflow
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, LabelText, TicketField, TicketFieldValue
from helpdesk.core.workflow import Invalid
from helpdesk.plugins import manager


def plugin(*wanted: Field) -> Any:
    return SimpleNamespace(register_ticket_fields=hookimpl(lambda: list(wanted)))


NUMBER = Field("orders_number", "Order number", public=True, required=True)
KIND = Field("orders_kind", "Kind of order", "choice", ["Bicycle", "Part"])


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {"orders": plugin(NUMBER, KIND)}


def rows() -> list[TicketField]:
    return list(db.session.scalars(db.select(TicketField).order_by(TicketField.position)))


def side(client: Any, ticket: Any) -> str:
    return str(client.get(f"/desk/tickets/{ticket.id}/side").text)


@pytest.mark.db
def test_they_are_made_once_when_the_plugin_first_starts(app: Any) -> None:
    assert [(row.key, row.label, row.kind, row.plugin, row.public, row.required) for row in rows()] == [
        ("orders_number", "Order number", "text", "orders", True, True),
        ("orders_kind", "Kind of order", "choice", "orders", False, False),
    ]
    assert rows()[1].choices == ["Bicycle", "Part"]
    schema.upgrade()
    assert len(rows()) == 2
    made = db.session.scalar(db.select(db.func.count(AuditEntry.id)).where(AuditEntry.action == "field.created"))
    assert made == 2


@pytest.mark.db
def test_label_choices_and_order_are_the_owners_afterwards(app: Any) -> None:
    row = rows()[1]
    fields.change_field(row, None, label="What", choices=["A"], public=True, required=True, active=True)
    fields.move_field(row, -1, None)
    schema.upgrade()
    assert [(row.key, row.label) for row in rows()] == [("orders_kind", "What"), ("orders_number", "Order number")]
    assert rows()[0].choices == ["A"]


def test_a_field_that_a_later_version_adds_is_made_then(app: Any, make_app: Any) -> None:
    with make_app({"orders": plugin(NUMBER, KIND, Field("orders_paid", "Paid", "checkbox"))}).app_context():
        assert [row.key for row in rows()] == ["orders_number", "orders_kind", "orders_paid"]


@pytest.mark.db
def test_they_are_filled_in_and_hidden_while_the_plugin_is_off(
    app: Any, client: Any, as_agent: Any, as_admin: Any, make_ticket: Any
) -> None:
    ticket = make_ticket(fields={"orders_number": "L-2041"})
    workflow.set_field(ticket, "orders_kind", "Part", as_agent.user)
    assert "Order number" in side(as_agent, ticket) and "L-2041" in side(as_agent, ticket)
    assert 'name="field:orders_number"' in client.get("/").text
    assert 'name="field:orders_kind"' not in client.get("/").text, "not for customers"
    with pytest.raises(Invalid, match="Choose one of the list"):
        workflow.set_field(ticket, "orders_kind", "Boat", as_agent.user)

    plugin_states.switch("orders", False, None)
    assert "Order number" not in side(as_agent, ticket)
    assert "field:orders" not in client.get("/").text
    with pytest.raises(Invalid, match="There is no field"):
        workflow.set_field(ticket, "orders_number", "X", as_agent.user)
    assert (
        client.post("/ask", data={"email": "tom@post.example", "subject": "Lock", "text": "It sticks."}).status_code
        < 400
    )

    plugin_states.switch("orders", True, None)
    assert "L-2041" in side(as_agent, ticket)
    assert db.session.scalar(db.select(db.func.count()).select_from(TicketFieldValue)) == 2


def test_a_plugin_that_is_gone_leaves_its_values(app: Any, make_app: Any, make_ticket: Any) -> None:
    ticket = make_ticket(fields={"orders_number": "L-2041"})
    with make_app({}).app_context():
        with pytest.raises(Invalid):
            workflow.open_ticket(TicketDraft("X", ticket.requester_id, "x", fields={"orders_number": "1"}), None)
        assert db.session.scalar(db.select(TicketFieldValue.text)) == "L-2041"


@pytest.mark.db
def test_a_key_of_somebody_else_leaves_the_plugin_out_with_a_sentence(make_app: Any) -> None:
    with make_app({}).app_context():
        assert fields.make_field("Orders number", "text", None).key == "orders_number"
        assert fields.make_field("Order number", "text", None).key == "order_number"
    app = make_app({"orders": plugin(NUMBER, KIND), "sound": plugin(Field("sound_level", "Order number", "number"))})
    with app.app_context():
        found = manager.current().plugins["orders"]
        assert "“orders_number” has a name that belongs to the desk's owner" in found.error and not found.loaded
        # The other one is here, under a label that can be told from the owner's.
        assert [(row.key, row.label) for row in rows()][2:] == [("sound_level", "Order number (sound)")]
    # A process that does not migrate says the same.
    with make_app({"orders": plugin(NUMBER)}).app_context():
        assert not manager.current().plugins["orders"].loaded
        schema.leave_out_unready()
    with make_app({"sound_level": plugin(Field("sound_level", "Level"))}).app_context():
        assert "the plugin sound" in manager.current().plugins["sound_level"].error


def test_two_plugins_with_the_same_key(make_app: Any) -> None:
    both = {"orders": plugin(Field("orders_us_no", "A")), "orders_us": plugin(Field("orders_us_no", "B"))}
    with make_app(both).app_context():
        assert "which the plugin orders has already" in manager.current().plugins["orders_us"].error
        assert [row.label for row in rows()] == ["A"]


def test_labels_are_made_in_every_language_that_the_plugin_speaks(make_app: Any) -> None:
    with make_app({"orders": plugin(Field("orders_x", lazy_gettext("Team")), NUMBER)}).app_context():
        row = rows()[0]
        assert row.label == "Team"
        texts = {found.locale: found.text for found in db.session.scalars(db.select(LabelText))}
        assert texts["zh_Hans"] and texts["zh_Hans"] != "Team" and "en" not in texts
        assert {found.object_id for found in db.session.scalars(db.select(LabelText))} == {row.id}


def test_a_label_that_raises_leaves_its_plugin_out(make_app: Any) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no words")

    app = make_app({"broken": plugin(Field("broken_x", Broken())), "orders": plugin(NUMBER)})
    with app.app_context():
        assert "no words" in manager.current().plugins["broken"].error
        assert [row.key for row in rows()] == ["orders_number"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "colour"}, "of no kind that there is"),
        ({"kind": "choice"}, "a list of choices goes with"),
        ({"choices": ["a"]}, "a list of choices goes with"),
        ({"kind": "choice", "choices": "abc"}, "a list of choices goes with"),
        ({"name": "probe_" + "x" * 60}, "too long"),
        ({"name": "other_x"}, "begin it with"),
    ],
)
def test_a_field_that_is_none_leaves_its_plugin_out_with_a_sentence(plug: Any, values: Any, words: str) -> None:
    found = plug("probe", register_ticket_fields=lambda: [Field(**{"name": "probe_x", "label": "X", **values})])
    assert words in found.error


def test_a_desk_without_such_plugins_asks_nothing_more(make_app: Any, count_queries: Any) -> None:
    with make_app({}).app_context(), count_queries() as statements:
        plugin_fields.make_missing()
    assert statements == []
