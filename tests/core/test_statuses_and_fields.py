"""The owner's own statuses and ticket fields: names, order, and what must stay."""

from typing import Any

import pytest

from helpdesk.core import fields, status_editing, statuses
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Status, TicketField
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.workflow import Invalid


def of(category: str) -> list[str]:
    query = db.select(Status.key).where(Status.category == category).order_by(Status.position, Status.id)
    return list(db.session.scalars(query))


@pytest.mark.parametrize("role", ["requester", "agent", "supervisor"])
def test_only_administrators(make_user: Any, role: str) -> None:
    actor, status, field = make_user(role), statuses.of_category("open"), fields.make_field("Serial", "text", None)
    for verb, given in (
        (status_editing.add_status, ("Mine", "open")),
        (status_editing.change_status, (status, "Mine", True)),
        (status_editing.move_status, (status, 1)),
        (fields.make_field, ("Mine", "text")),
        (fields.move_field, (field, 1)),
    ):
        with pytest.raises(NotAllowed):
            verb(*given, actor)
    with pytest.raises(NotAllowed):
        fields.change_field(field, actor, label="Mine", choices=[], public=True, required=False, active=True)
    assert db.session.scalar(db.select(db.func.count(Status.id))) == 6 and field.label == "Serial"


@pytest.mark.db
def test_statuses_move_within_their_category_and_the_first_one_counts(app: Any) -> None:
    status_editing.add_status("At the maker", "on_hold", None)
    third = status_editing.add_status("Waits for a part", "on_hold", None)
    status_editing.move_status(third, -1, None)
    status_editing.move_status(third, -1, None)
    assert of("on_hold") == ["waits_for_a_part", "on_hold", "at_the_maker"]
    status_editing.move_status(third, -1, None)
    assert of("on_hold")[0] == third.key, "at the top it stays"
    assert statuses.of_category("on_hold").id == third.id
    assert [status.category for status in statuses.active()] == ["new", "open", "pending", *["on_hold"] * 3, "solved",
                                                                 "closed"]  # fmt: skip
    status_editing.move_status(statuses.of_category("open"), 1, None)
    assert of("open") == ["open"]


def test_no_two_statuses_look_the_same(app: Any) -> None:
    status = status_editing.add_status("Parked", "open", None)
    for name in ("parked", " PARKED ", "pending", "On hold"):
        with pytest.raises(Invalid, match="already"):
            status_editing.add_status(name, "open", None)
    with pytest.raises(Invalid, match="standard name"):
        status_editing.change_status(status, "", True, None)
    status_editing.change_status(status, "Parked", True, None)
    with pytest.raises(Invalid, match="40 characters"):
        status_editing.change_status(status, "x" * 41, True, None)


@pytest.mark.db
def test_the_last_of_a_category_stays_whoever_switches(app: Any, at_once: Any) -> None:
    ids = [statuses.of_category("solved").id, status_editing.add_status("Done by phone", "solved", None).id]

    def switch_off(number: int) -> str:
        status_editing.change_status(db.session.get_one(Status, ids[number]), f"S{number}", False, None)
        return "off"

    results = at_once(2, switch_off)
    assert sum(isinstance(result, Invalid) for result in results) == 1 and "off" in results
    query = db.select(db.func.count(Status.id)).where(Status.category == "solved", Status.active)
    assert db.session.scalar(query) == 1


def test_names_of_other_scripts_have_keys(app: Any) -> None:
    status = status_editing.add_status("等待零件", "on_hold", None)
    field = fields.make_field("序列号", "text", None)
    other = fields.make_field("型号", "text", None)
    assert (status.name, field.label) == ("等待零件", "序列号")
    assert status.key.isascii() and field.key.isascii() and field.key != other.key


@pytest.mark.db
def test_fields_move_among_their_like(app: Any) -> None:
    a, b, c = (fields.make_field(label, "text", None) for label in "ABC")
    fields.move_field(c, -1, None)
    assert [field.label for field in sorted((a, b, c), key=lambda field: field.position)] == ["A", "C", "B"]
    fields.change_field(b, None, label="B", choices=[], public=False, required=False, active=False)
    before = db.session.scalar(db.select(db.func.count(AuditEntry.id)))
    for field, way in ((a, -1), (c, 1), (b, -1), (b, 1)):
        fields.move_field(field, way, None)
    assert db.session.scalar(db.select(db.func.count(AuditEntry.id))) == before, "ends, and those that are off, stay"


def test_no_two_fields_have_one_label(app: Any) -> None:
    field = fields.make_field("Serial number", "text", None)
    with pytest.raises(Invalid, match="already"):
        fields.make_field(" serial  NUMBER", "date", None)
    fields.change_field(field, None, label="Serial Number", choices=[], public=True, required=False, active=True)
    assert db.session.scalars(db.select(TicketField.label)).one() == "Serial Number"
