"""What the plugin offers to others, and what it registers: each by its hook."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import helpdesk_customers
import pytest
from flask import Flask
from helpdesk_customers import consents, ownership, records, segments, worth
from helpdesk_customers.acts import register_acts
from helpdesk_customers.background import NIGHTLY, RECOUNT, register_jobs, register_schedules
from helpdesk_customers.models import Record, Worth
from helpdesk_customers.offering import register_hookspecs, tell_products

from helpdesk.api import User, ask, db, hookimpl, schedule, transaction

_HEARD: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture
def desk_plugins(desk_plugins: dict[str, Any]) -> dict[str, Any]:
    """This plugin, and one that listens to it."""
    _HEARD.clear()

    def customers_record_changed(person_id: int | None, organization_id: int | None) -> None:
        _HEARD.append(("record", {"person": person_id, "organization": organization_id}))

    def customers_products_changed(person_ids: list[int], organization_ids: list[int]) -> None:
        _HEARD.append(("products", {"people": person_ids, "firms": organization_ids}))

    def customers_consent_changed(person_id: int, purpose: str, given: bool) -> None:
        _HEARD.append(("consent", {"person": person_id, "purpose": purpose, "given": given}))

    def customers_segment_changed(segment_id: int) -> None:
        _HEARD.append(("segment", {"segment": segment_id}))

    listens = (
        customers_record_changed, customers_products_changed, customers_consent_changed, customers_segment_changed,
    )  # fmt: skip
    hooks = {one.__name__: hookimpl(optionalhook=True)(one) for one in listens}
    return {**desk_plugins, "probe": SimpleNamespace(**hooks)}


def test_other_plugins_hear_of_what_changes(
    anna: User, agent: User, boss: User, order: Any, firm: Any, run_jobs: Any
) -> None:
    """register_hookspecs: four facts, each told once."""
    assert {one.__name__ for one in register_hookspecs()} >= {"customers_timeline", "customers_is_on"}
    records.change(firm, agent, tags=["vip"])
    order(anna, {"bell": 500})
    ownership.own(anna, "lamp", agent)
    consents.note_consent(anna, "offers", True, agent, way="phone", words="Yes.")
    made = segments.save(None, {"name": "A", "conditions": [{"what": "tag", "how": "has", "value": "vip"}]}, boss)
    run_jobs()
    assert _HEARD == [
        ("record", {"person": None, "organization": firm.id}),
        ("products", {"people": [anna.id], "firms": [firm.id]}),
        ("products", {"people": [anna.id], "firms": []}),
        ("consent", {"person": anna.id, "purpose": "offers", "given": True}),
        ("segment", {"segment": made.id}),
    ]


def test_an_import_is_told_in_large_pieces(app: Flask, run_jobs: Any) -> None:
    with transaction():
        tell_products([*range(1, 1_502), None, 7], [3, None])
    run_jobs()
    assert [len(said["people"]) for _kind, said in _HEARD] == [1_000, 501]
    assert [said["firms"] for _kind, said in _HEARD] == [[3], []]


def test_plugins_that_build_on_it_know_when_it_rests(app: Flask) -> None:
    """customers_is_on: True while the plugin is on."""
    assert ask("customers_is_on") is True


def test_what_is_recorded_has_a_name(app: Flask) -> None:
    """register_acts: every act that the code of the plugin records stands there."""
    folder = Path(helpdesk_customers.__file__).parent
    known = {act.name for act in register_acts()}
    used = {
        name
        for file in folder.rglob("*.py")
        if file.name != "acts.py"
        for line in file.read_text("utf-8").splitlines()
        if "audit(" in line or "kind = " in line
        for name in re.findall(r'"(customers\.[a-z_]+)"', line)
    }
    assert used and used <= known, used - known


def test_the_jobs_of_the_plugin(order: Any, anna: User, run_jobs: Any) -> None:
    """register_jobs, register_schedules: the night and the counting anew; both may run again at any time."""
    assert {NIGHTLY, RECOUNT} <= {job.name for job in register_jobs()}
    assert [one.job for one in register_schedules() if one.name == "customers.nightly"] == [NIGHTLY]
    order(anna, {"bell": 500})
    for name in (RECOUNT, NIGHTLY, RECOUNT):
        with transaction():
            db.session.execute(db.update(Worth).values(revenue=1))
            schedule(name)
        run_jobs()
        wanted = 1 if name == NIGHTLY else 500
        assert set(db.session.scalars(db.select(Worth.revenue))) == {wanted}, name


def test_counting_anew_goes_on_where_it_was_ended(
    order: Any, make_user: Any, run_jobs: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _person in range(4):
        order(make_user(), {"bell": 500})
    with transaction():
        db.session.execute(db.update(Worth).values(revenue=1))
        schedule(RECOUNT)
    every = list(db.session.scalars(db.select(Record.id).order_by(Record.id)))
    counted: list[int] = []
    count, ends = worth.recount_records, iter([False, False, True])

    def count_or_end(numbers: list[int]) -> None:
        if next(ends, False):
            raise OSError("The worker is ended here.")
        count(numbers)
        counted.extend(numbers)

    monkeypatch.setattr(worth, "_ROWS", 1)
    monkeypatch.setattr(worth, "recount_records", count_or_end)
    run_jobs()
    assert counted == every[:2]
    travel(hours=1)
    run_jobs()
    assert counted == every, "none twice, and none left out"
    assert set(db.session.scalars(db.select(Worth.revenue))) == {500}
