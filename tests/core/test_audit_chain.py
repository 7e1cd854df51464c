"""The record: append-only, chained, and a person can be erased from it all the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from helpdesk.core import accounts, audit, personal_data, schema
from helpdesk.core.audit import checking, digests, erasing, guarding, linking, verifying
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, AuditLink
from helpdesk.core.transaction import transaction

pytestmark = [pytest.mark.db, pytest.mark.usefixtures("nothing_daily")]


@contextmanager
def unprotected() -> Iterator[None]:
    """As whoever owns the database can do it."""
    on_postgresql = db.engine.dialect.name == "postgresql"
    with transaction():
        for table in ("audit_entry", "audit_link"):
            for name in ("kept", "there"):
                db.session.execute(text(f"DROP TRIGGER {table}_{name}" + (f" ON {table}" if on_postgresql else "")))
        yield


def write(number: int = 5, **values: Any) -> None:
    with transaction():
        for one in range(number):
            audit.record("settings.changed", None, f"thing {one}", {"to": one, "rate": 2.0, "name": "a\0b"}, **values)


def test_entries_are_linked_in_batches_without_a_gap(app: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(linking, "BATCH", 3)
    write(8)
    assert linking.link_new() == 8 and linking.link_new() == 0
    write(2)
    assert linking.link_new() == 2
    verdict = verifying.verify()
    assert (verdict.broken, verdict.links, verdict.erased, verdict.unlinked) == ("", 10, 0, 0)
    assert list(db.session.scalars(db.select(AuditLink.id).order_by(AuditLink.id))) == list(range(1, 11))


def test_one_far_behind_the_newest_waits_for_the_night(app: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(linking, "_LOOKED_BACK", 2)
    write(6)
    linking.link_new()
    with unprotected():
        db.session.execute(delete(AuditLink).where(AuditLink.id > 1))
        late = {"id": 2, "entry_id": 6, "digest": "", "chain": "0" * 64, "linked_at": now()}
        db.session.execute(insert(AuditLink), [late])
    assert linking.link_new() == 1 and linking.link_new() == 0, "number 5 alone is near"
    assert linking.link_new(whole=True) == 3


def test_what_waits_for_its_link_is_looked_at_as_well(app: Any) -> None:
    write(2)
    assert verifying.verify().unlinked == 2


def test_the_database_itself_refuses_changes(app: Any) -> None:
    write(1)
    linking.link_new()
    for statement in (
        delete(AuditLink),
        delete(AuditEntry),
        update(AuditLink).values(chain="0" * 64),
        update(AuditEntry).values(subject="another"),
        update(AuditEntry).values(action="another"),
        update(AuditEntry).values(salt=None, erased_by=1, action="another"),
        update(AuditEntry).values(salt=None),
        update(AuditEntry).values(digest="0" * 64),
    ):
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(statement)
    assert verifying.verify().broken == "" and verifying.verify().links == 1


def test_that_nothing_keeps_it_is_said(app: Any, as_admin: Any, run_jobs: Any) -> None:
    write(1)
    assert verifying.verify().unguarded == [] and guarding.missing() == []
    with unprotected():
        pass
    gone = ["audit_entry_kept", "audit_entry_there", "audit_link_kept", "audit_link_there"]
    verdict = verifying.verify()
    assert (verdict.broken, sorted(verdict.unguarded)) == ("", gone)
    ledger.schedule(checking.JOB)
    run_jobs()
    assert sorted(checking.last()["unguarded"]) == gone
    page = as_admin.get("/admin/audit").text
    assert "no longer keeps this record" in page and "it is as it was written" not in page


def test_a_trigger_that_does_nothing_is_none(app: Any) -> None:
    statements = [
        "DROP TRIGGER audit_entry_kept",
        "CREATE TRIGGER audit_entry_kept BEFORE UPDATE ON audit_entry BEGIN SELECT 1; END",
    ]
    if db.engine.dialect.name == "postgresql":
        nothing = "LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        statements = [
            "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_kept",
            f"CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger {nothing}",
        ]
    for statement in statements:
        with transaction():
            db.session.execute(text(statement))
        assert "audit_entry_kept" in guarding.missing()


def of_third(**values: Any) -> Any:
    return update(AuditEntry).where(AuditEntry.id == 3).values(values)


def test_what_was_changed_behind_the_desks_back_is_seen(app: Any) -> None:
    write(5)
    linking.link_new()
    tables = (AuditEntry.__table__, AuditLink.__table__)
    saved = [db.session.execute(db.select(table)).mappings().all() for table in tables]
    with unprotected():
        pass
    for change, words in (
        (of_third(subject="x"), "details"),
        (of_third(address="192.0.2.1"), "details"),
        (of_third(data={"to": 9}), "details"),
        (of_third(action="x.y"), "was changed"),
        (of_third(digest="0" * 64), "was changed"),
        (of_third(salt=None, subject=""), "no erasing"),
        (of_third(salt=None, subject="", erased_by=1), "no erasing"),
        (delete(AuditEntry).where(AuditEntry.id == 3), "is gone"),
        (delete(AuditLink).where(AuditLink.id == 3), "missing"),
        (update(AuditLink).where(AuditLink.id == 3).values(chain="0" * 64), "go on"),
        (update(AuditLink).where(AuditLink.id == 3).values(digest="0" * 64), "was changed"),
    ):
        with transaction():
            db.session.execute(change)
        verdict = verifying.verify()
        assert words in verdict.broken, str(change)
        assert verdict.at_link in (3, 4, None)
        with transaction():
            for table, rows in zip(tables, saved, strict=True):
                db.session.execute(delete(table))
                db.session.execute(insert(table), [dict(row) for row in rows])
        assert verifying.verify().broken == ""


def test_an_end_that_was_cut_off_takes_an_anchor_to_be_seen(app: Any) -> None:
    write(5)
    linking.link_new()
    anchor = verifying.verify().anchor
    write(1)
    linking.link_new()
    assert verifying.verify(anchor).broken == ""
    with unprotected():
        db.session.execute(delete(AuditLink).where(AuditLink.id > 3))
        db.session.execute(delete(AuditEntry).where(AuditEntry.id > 3))
    assert verifying.verify().broken == ""
    assert "end is missing" in verifying.verify(anchor).broken
    assert "anchor" in verifying.verify(f"2:{'0' * 64}").broken
    for wrong in ("x", "1:abc", "-1:" + "0" * 64, ":" + "0" * 64):
        with pytest.raises(verifying.BadAnchor):
            verifying.verify(wrong)


def test_a_person_is_erased_and_the_chain_holds(app: Any, make_user: Any, make_ticket: Any) -> None:
    tom, admin = make_user("agent", name="Tom Turner", email="tom@desk.example"), make_user("admin")
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}), transaction():
        audit.record("settings.changed", tom, "desk", {"name": "Larkwheel"})
        audit.record("team.changed", admin, "Workshop", {"members": ["TOM@desk.example", "mia@desk.example"]})
    linking.link_new()
    accounts.set_active(tom, False, admin)
    before = verifying.verify()
    personal_data.erase(tom, admin)
    linking.link_new()
    verdict = verifying.verify(before.anchor)
    assert verdict.broken == "" and verdict.erased >= 4
    rows = db.session.execute(db.select(AuditEntry.subject, AuditEntry.data, AuditEntry.address)).all()
    assert "tom@desk.example" not in str(rows).lower()
    assert "mia@desk.example" in str(rows), "nobody else goes with him"
    mine = db.session.scalars(db.select(AuditEntry).where(AuditEntry.actor_id == tom.id)).one()
    assert mine.address is None and mine.action == "settings.changed" and mine.data == {"name": "Larkwheel"}
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == erasing.ERASED)).one()
    assert entry.salt and entry.data[erasing.COUNT] == verdict.erased
    # Who, when and what of a blanked entry are proved all the same.
    with unprotected():
        db.session.execute(update(AuditEntry).where(AuditEntry.id == mine.id).values(action="user.exported"))
    assert "was changed" in verifying.verify().broken


def test_the_last_one_who_erased_is_erased(app: Any, make_user: Any) -> None:
    first, second, third = make_user("admin"), make_user("admin"), make_user("admin")
    accounts.set_active(first, False, second)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        personal_data.erase(first, second)
        accounts.set_active(second, False, third)
        personal_data.erase(second, third)
    linking.link_new()
    assert verifying.verify().broken == ""


def test_another_entry_cannot_be_blanked_in_the_name_of_an_erasing(app: Any, make_user: Any) -> None:
    tom, admin = make_user(), make_user("admin")
    write(1)
    personal_data.erase(tom, admin)
    linking.link_new()
    number = db.session.scalar(db.select(AuditEntry.id).where(AuditEntry.action == erasing.ERASED))
    victim = db.session.scalar(db.select(AuditEntry.id).where(AuditEntry.action == "settings.changed"))
    with transaction():
        # The triggers let it pass, since it looks like an erasing.
        blank = {"salt": None, "address": None, "subject": "", "erased_by": number}
        db.session.execute(update(AuditEntry).where(AuditEntry.id == victim).values(blank))
    assert "Other entries were blanked" in verifying.verify().broken


def test_a_made_up_erasing_explains_no_more_than_what_points_to_it(app: Any) -> None:
    write(1)
    nobody = {erasing.COUNT: 1, erasing.WHICH: erasing.which([])}
    with transaction():
        audit.record(erasing.ERASED, None, "#9", nobody)
        # The triggers let it pass; it points to an entry that is not there.
        db.session.execute(update(AuditEntry).where(AuditEntry.id == 1).values(salt=None, address=None, erased_by=99))
    linking.link_new()
    assert "Other entries were blanked" in verifying.verify().broken


def test_entries_of_before_the_chain_are_linked(app: Any) -> None:
    with transaction():
        db.session.add(AuditEntry(action="old.act", subject="old", data={"a": 1}))
    write(1)
    assert linking.link_new() == 2
    assert verifying.verify().broken == "" and verifying.verify().links == 2
    with unprotected():
        db.session.execute(update(AuditEntry).where(AuditEntry.action == "old.act").values(subject="new"))
    assert "details" in verifying.verify().broken


def test_one_that_commits_late_is_linked_late(app: Any, at_once: Any) -> None:
    """Four who write and link at the same time leave one chain with every entry."""

    def work(number: int) -> int:
        for _turn in range(3):
            write(4)
            linking.link_new()
        return number

    results = at_once(4, work)
    assert sorted(results) == [0, 1, 2, 3], results
    linking.link_new()
    verdict = verifying.verify()
    assert (verdict.broken, verdict.links, verdict.unlinked) == ("", 48, 0)


def test_a_link_can_be_checked_by_other_programs(app: Any) -> None:
    """What docs/security/audit.md says of the format, step by step."""
    import hashlib
    import json

    write(1)
    linking.link_new()
    entry, link = db.session.scalars(db.select(AuditEntry)).one(), db.session.scalars(db.select(AuditLink)).one()

    def sha(before: str, values: list[Any]) -> str:
        words = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256((before + words).encode()).hexdigest()

    details = sha(entry.salt or "", [entry.subject, entry.data, entry.address])
    assert details == entry.digest
    moment = entry.at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    assert link.digest == sha("", [entry.id, moment, entry.actor_id, entry.action, details])
    assert link.chain == sha("0" * 64, [1, link.digest]) and digests.BEGINNING == "0" * 64


def test_the_worker_looks_each_night_and_says_what_it_found(app: Any, as_admin: Any, run_jobs: Any) -> None:
    from helpdesk.core.jobs import ledger

    write(3)
    ledger.schedule(checking.JOB)
    run_jobs()
    assert checking.last()["broken"] == "" and checking.last()["links"] >= 3
    assert "as it was written" in as_admin.get("/admin/audit").text
    with unprotected():
        db.session.execute(update(AuditEntry).where(AuditEntry.subject == "thing 1").values(subject="thing 9"))
    ledger.schedule(checking.JOB)
    run_jobs()
    assert "details" in checking.last()["broken"]
    assert "Somebody has changed this record" in as_admin.get("/admin/audit").text
    assert "1 needs attention" in as_admin.get("/admin/").text


@pytest.mark.slow
def test_the_tables_come_and_go_with_their_triggers(app: Any) -> None:
    write(2)
    schema.downgrade("0004")
    with transaction():
        db.session.execute(text("DELETE FROM audit_entry"))
    schema.upgrade()
    write(2)
    linking.link_new()
    with pytest.raises(DBAPIError), transaction():
        db.session.execute(delete(AuditEntry))
