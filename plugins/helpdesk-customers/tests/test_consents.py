"""Consents: the newest word counts, nothing is overwritten, each has its proof."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import consents
from helpdesk_customers.models import Consent
from helpdesk_customers.settings import CustomerSettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Event, Invalid, NotAllowed, Ticket, User, db, now, transaction


def test_the_newest_word_counts_and_all_stay(anna: User, agent: User, make_ticket: Any) -> None:
    ticket: Ticket = make_ticket("Offers, please", requester=anna)
    assert not consents.has_consent(anna.id)
    consents.note_consent(anna, "offers", True, agent, way="phone", words="Yes, send them.", proof="Call at noon",
                          ticket=ticket)  # fmt: skip
    assert consents.has_consent(anna.id) and not consents.has_consent(anna.id, "news")
    consents.note_consent(anna, "offers", False, agent, way="email")
    assert not consents.has_consent(anna.id) and consents.standing(anna)["offers"].state == "withdrawn"
    found = consents.history(anna)
    assert [(one.state, one.words, one.actor.name, one.ticket_id) for one in found] == [
        ("withdrawn", "", "Abe Agent", None),
        ("given", "Yes, send them.", "Abe Agent", ticket.id),
    ]
    told = db.session.scalars(db.select(Event.data).where(Event.kind == "customers_consent_changed")).all()
    assert [fact["given"] for fact in told] == [True, False]


def test_what_is_taken_down_late_is_the_past(anna: User, agent: User) -> None:
    """Somebody types in an old paper after a withdrawal: it does not undo it."""
    consents.note_consent(anna, "offers", False, agent, way="email", at=now() - timedelta(days=2))
    old = consents.note_consent(
        anna, "offers", True, agent, way="paper", proof="Folder 3", at=now() - timedelta(days=9)
    )
    assert not old.newest and not consents.has_consent(anna.id)
    assert [one.state for one in consents.history(anna)] == ["withdrawn", "given"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"purpose": "gossip"}, "purpose"),
        ({"way": "rumour"}, "way"),
        ({"proof": ""}, "proof"),
        ({"words": "x" * 5_001}, "words"),
        ({"at": True}, "at"),
    ],
)
def test_a_consent_without_proof_is_none(anna: User, agent: User, values: dict[str, Any], field: str) -> None:
    if "at" in values:
        values = {"at": now() + timedelta(days=1)}
    usual = {"purpose": "offers", "given": True, "actor": agent, "way": "phone", "proof": "Heard it"}
    with pytest.raises(Invalid) as refused:
        consents.note_consent(anna, **{**usual, **values})
    assert refused.value.field == field
    assert db.session.scalar(db.select(Consent)) is None


def test_customers_do_not_write_their_own_proof(anna: User) -> None:
    with pytest.raises(NotAllowed):
        consents.note_consent(anna, "offers", True, anna, way="form", words="I agree.")


def test_an_owner_adds_purposes(app: Flask, anna: User, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    more = CustomerSettings(more_purposes="Product tests， product TESTS, , Besuche")
    monkeypatch.setattr(consents, "settings", lambda _kind: more)
    assert [key for key, _label in consents.purposes()][4:] == ["product_tests", "besuche"]
    consents.note_consent(anna, "product_tests", True, agent, way="talk", words="Gladly.")
    assert consents.consenting([anna.id, agent.id], "product_tests") == {anna.id}


_SAID = st.lists(st.tuples(st.sampled_from(["offers", "news"]), st.booleans(), st.integers(0, 5)), max_size=10)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(said=_SAID)
def test_the_ledger_agrees_with_itself(said: list[Any], make_user: Any) -> None:
    """Whatever is said in whatever order: one newest row for each purpose, the one said last; found anew it is so."""
    person = make_user()
    moment = now()
    wanted: dict[str, tuple[Any, bool]] = {}
    for purpose, given_, days in said:
        at = moment - timedelta(days=days)
        row = consents.note_consent(person, purpose, given_, None, way="import", proof="a file", at=at)
        if purpose not in wanted or at >= wanted[purpose][0][0]:
            wanted[purpose] = ((at, row.id), given_)
    for _turn in range(2):
        newest = {row.purpose: ((row.at, row.id), row.state == "given") for row in consents.standing(person).values()}
        assert newest == wanted
        with transaction():
            consents.settle_newest([person.id])
