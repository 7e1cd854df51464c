"""Every address of the owner's rooms: closed to all others, and each asks for a permission of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry

VALUES = {
    "name": "desk",
    "upload": "0" * 32,
    "user_id": 1,
    "number": 1,
    "team_id": 1,
    "organization_id": 1,
    "field_id": 1,
    "status_id": 1,
    "hours_id": 1,
    "topic_id": 1,
    "type_id": 1,
    "item_id": 1,
    "delivery_id": 1,
    "event_id": 1,
    "job_id": 1,
    "act": "retry",
    "state": "off",
    "way": "up",
    "key": "orders.nightly",
    "code": "zh_Hans",
    "digest": "0" * 64,
}


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin."):
            assert rule.arguments <= set(VALUES), f"say what {rule.rule} takes"
            for method in (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
                yield method, adapter.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments})


def test_strangers_are_sent_to_sign_in(app: Flask, client: Any) -> None:
    found = list(addresses(app))
    assert len(found) > 40
    for method, path in found:
        answer = client.open(path, method=method)
        assert answer.status_code == 303 and "/auth/sign-in" in answer.location, path


@pytest.mark.parametrize("role", ["requester", "agent", "supervisor"])
def test_nobody_else_comes_in(app: Flask, sign_in: Any, make_user: Any, role: str) -> None:
    reader = sign_in(make_user(role))
    before = db.session.scalar(db.select(db.func.count(AuditEntry.id)))
    for method, path in addresses(app):
        assert reader.open(path, method=method).status_code == 403, path
    assert db.session.scalar(db.select(db.func.count(AuditEntry.id))) == before


def test_each_room_asks_for_its_own_permission(app: Flask, as_admin: Any, plug: Any) -> None:
    """With ``admin.use`` alone the first page is open, and it shows no door."""
    plug("guard", veto=lambda permission: None if permission in ("admin.use", "desk.use") else False)
    for method, path in addresses(app):
        assert as_admin.open(path, method=method).status_code == (200 if path == "/admin/" else 403), path
    assert 'class="box pcard room"' not in as_admin.get("/admin/").text


def test_forms_without_their_token_change_nothing(app: Flask, as_admin: Any) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    before = db.session.scalar(db.select(db.func.count(AuditEntry.id)))
    for method, path in addresses(app):
        if method == "POST":
            assert as_admin.post(path).status_code == 400, path
    assert db.session.scalar(db.select(db.func.count(AuditEntry.id))) == before
