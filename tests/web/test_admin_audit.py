"""The record: searched by time, person, act and address, and handed out."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.core import audit, sign_in_sessions
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry
from helpdesk.core.transaction import transaction


@pytest.fixture
def acts(app: Any, travel: Any, make_user: Any) -> None:
    """One act on each of three days, from two addresses."""
    for day, subject, address in ((1, "=cmd", "192.0.2.1"), (2, "second", "192.0.2.2"), (3, "third", "192.0.2.1")):
        travel(to=datetime(2026, 3, day, 12, tzinfo=UTC))
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}), transaction():
            audit.record("team.changed", None, subject, {"day": day})
    travel(to=datetime(2026, 3, 10, 12, tzinfo=UTC))


def shown(page: str) -> list[str]:
    return [word for word in ("=cmd", "second", "third") if f"<bdi>{word}</bdi>" in page]


def test_it_is_narrowed_down_by_day_and_address(acts: None, as_admin: Any) -> None:
    for query, expected in (
        ("", ["=cmd", "second", "third"]),
        ("since=2026-03-02", ["second", "third"]),
        ("until=2026-03-02", ["=cmd", "second"]),
        ("since=2026-03-02&until=2026-03-02", ["second"]),
        ("address=192.0.2.1", ["=cmd", "third"]),
        ("address=192.0.2.1&since=2026-03-02&action=team.changed", ["third"]),
        ("since=9999-12-31", ["=cmd", "second", "third"]),
        ("until=9999-12-31&since=0001-01-01", ["=cmd", "second", "third"]),
        ("since=soon&until=%00&address=%00", ["=cmd", "second", "third"]),
    ):
        answer = as_admin.get(f"/admin/audit?{query}")
        assert answer.status_code == 200 and shown(answer.text) == expected, query


def test_it_is_handed_out_after_the_proof_alone(acts: None, make_user: Any, sign_in: Any, travel: Any) -> None:
    browser = sign_in(make_user("admin", password="a rather long pass phrase"))
    travel(to=datetime(2026, 3, 10, 12, tzinfo=UTC) + sign_in_sessions.PROOF + timedelta(minutes=1))
    form = {"format": "csv", "text": "second"}
    question = browser.post("/admin/audit/export", data=form)
    assert question.status_code == 403 and "Is it you?" in question.text and "=cmd" not in question.text
    handed_out = db.select(AuditEntry.id).where(AuditEntry.action == "audit.exported")
    assert db.session.scalars(handed_out).all() == []
    answer = browser.post("/admin/audit/export", data={**form, "proof_password": "a rather long pass phrase"})
    assert [row["subject"] for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))] == ["second"]


def test_who_was_not_signed_in_is_not_the_desk(as_admin: Any) -> None:
    with transaction():
        audit.record("user.sign_in_failed", None, "ghost@desk.example")
    page = as_admin.get("/admin/audit?action=user.sign_in_failed").text
    assert "Nobody (not signed in)" in page and "The desk</td>" not in page
    with transaction():
        audit.record("team.changed", None, "second")
    assert "The desk</td>" in as_admin.get("/admin/audit?action=team.changed").text


def test_it_is_handed_out_as_it_is_narrowed_down(acts: None, as_admin: Any) -> None:
    answer = as_admin.post("/admin/audit/export", data={"format": "csv", "address": "192.0.2.1"})
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["subject"] for row in rows] == ["'=cmd", "third"]
    lines = as_admin.post("/admin/audit/export", data={"format": "jsonl", "action": "team.changed"}).text
    assert [json.loads(line)["subject"] for line in lines.splitlines()] == ["=cmd", "second", "third"]
    query = db.select(AuditEntry).where(AuditEntry.action == "audit.exported").order_by(AuditEntry.id)
    first, second = db.session.scalars(query)
    assert first.actor_id == as_admin.user.id and (first.subject, first.data) == ("csv", {"address": "192.0.2.1"})
    assert second.data == {"action": "team.changed"}
    assert as_admin.post("/admin/audit/export", data={"format": "exe"}).status_code == 422


def test_others_get_nothing(acts: None, as_supervisor: Any, client: Any) -> None:
    assert as_supervisor.post("/admin/audit/export").status_code == 403
    assert client.post("/admin/audit/export").status_code == 303
    assert db.session.query(AuditEntry).filter_by(action="audit.exported").count() == 0


def test_a_million_would_be_read_in_pieces(app: Any, as_admin: Any, count_queries: Any, monkeypatch: Any) -> None:
    from helpdesk.core.audit import exporting

    monkeypatch.setattr(exporting, "_CHUNK", 10)
    with transaction():
        for number in range(35):
            audit.record("team.changed", None, f"{number}")
    pieces = list(exporting.export(exporting.Search(action="team.changed"), "jsonl", None))
    assert [len(piece.splitlines()) for piece in pieces] == [10, 10, 10, 5]
    as_admin.get("/admin/audit")
    with count_queries() as few:
        as_admin.get("/admin/audit?action=team.created")
    with count_queries() as many:
        as_admin.get("/admin/audit?action=team.changed")
    assert len(many) <= len(few) + 1 <= 10


@pytest.mark.sqlite
def test_each_search_has_an_index(app: Any) -> None:
    """What is asked for by act, person and address is found without reading all."""
    from helpdesk.core.audit.searching import Search, entries

    moment = datetime(2026, 3, 1, tzinfo=UTC)
    for search, index in (
        (Search(action="a"), "ix_audit_entry_action_id"),
        (Search(actor_id=1), "ix_audit_entry_actor_id_id"),
        (Search(address="a"), "ix_audit_entry_address_id"),
        (Search(since=moment, until=moment + timedelta(days=1)), "ix_audit_entry_at_id"),
    ):
        query = entries(search).order_by(AuditEntry.id.desc()).limit(50)
        words = query.compile(db.engine, compile_kwargs={"literal_binds": True})
        plan = str(db.session.execute(db.text(f"EXPLAIN QUERY PLAN {words}")).all())
        assert f"INDEX {index}" in plan, plan
