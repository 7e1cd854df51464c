"""Each rule that keeps anything from being suggested, one test for each; hooks upsell_objections, upsell_is_angry."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_customers.api import note_consent
from helpdesk_upsell import catalogue, recommending, rules, suggestions
from helpdesk_upsell.lexicon import is_angry
from helpdesk_upsell.models import DECLINED, Product, Rule
from helpdesk_upsell.objections import objections
from helpdesk_upsell.recommending import advice
from helpdesk_upsell.settings import RecommendationSettings

from helpdesk.api import (
    MessageDraft,
    Refused,
    Ticket,
    TicketType,
    User,
    db,
    hookimpl,
    now,
    reopen,
    reply,
    set_type,
    solve,
    tag,
    transaction,
)

Make = Callable[..., Any]


@pytest.fixture
def plus(product: Make, rule: Make) -> Product:
    """A product that a rule suggests to everybody."""
    made: Product = product("PLUS", "Plus plan")
    rule(made)
    return made


def keys(ticket: Ticket) -> list[str]:
    return [one.key for one in objections(ticket, ticket.requester)]


def skus(ticket: Ticket) -> list[str]:
    return [one.sku for one in advice(ticket).suggestions]


@pytest.mark.db
def test_nothing_speaks_against_it(plus: Product, solved: Ticket) -> None:
    found = advice(solved)
    assert (found.objections, [one.sku for one in found.suggestions]) == ([], ["PLUS"])


def test_an_unsolved_ticket(plus: Product, ticket: Ticket, anna: User, agent: User, configure: Make) -> None:
    """The owner may choose that the team's last word is enough."""
    assert keys(ticket) == ["unsolved"] and skus(ticket) == []
    assert advice(ticket).objections == ["this ticket is not solved yet"]
    configure(RecommendationSettings, moment="answered")
    assert skus(ticket) == ["PLUS"]
    reply(ticket, MessageDraft(text="And when will it be here?"), anna)
    assert keys(ticket) == ["unsolved"]
    solve(ticket, agent)
    assert skus(ticket) == ["PLUS"]
    reopen(ticket, agent)
    reply(ticket, MessageDraft(text="It is not here."), anna)
    assert keys(ticket) == ["unsolved"]


def test_another_ticket_that_is_unsolved(plus: Product, solved: Ticket, anna: User, make_ticket: Make) -> None:
    other = make_ticket("The lamp flickers", requester=anna)
    assert keys(solved) == ["other_unsolved"] and f"#{other.number}" in advice(solved).objections[0]
    make_ticket("The bell is silent", requester=anna)
    assert advice(solved).objections == ["2 other tickets of this customer are not solved yet"]


def test_an_open_complaint(
    plus: Product, solved: Ticket, anna: User, agent: User, make_ticket: Make, configure: Make
) -> None:
    """By a tag or by a type; of another ticket while it is open, of this one for good."""
    other = make_ticket("Three weeks!", requester=anna)
    tag(other, ["Complaint"], agent)
    assert "complaint" in keys(solved)
    solve(other, agent)
    assert keys(solved) == []
    tag(solved, ["complaint"], agent)
    assert keys(solved) == ["complaint"] and skus(solved) == []
    configure(RecommendationSettings, complaint_tag="", complaint_type="grievance")
    assert keys(solved) == []
    kind = TicketType(key="grievance", name="Grievance")
    with transaction():
        db.session.add(kind)
    set_type(solved, kind, agent)
    assert keys(solved) == ["complaint"]


@pytest.mark.parametrize(
    ("text", "angry"),
    [
        ("This is ridiculous, I want my money back.", True),
        ("I am not angry, only curious.", False),
        ("Thank you, all is well now.", False),
        ("WHERE IS MY PARCEL NOW", True),
        ("It must be there by Friday!!!", True),
        ("I read your terms of USE and the FAQ.", False),
        ("这也太差了，我要投诉你们", True),
        ("我要投訴你們", True),
        ("我没有生气，谢谢你们", False),
        ("谢谢，问题已经解决了。", False),
        ("退钱！！！", True),
        ("My classic bike is great.", False),
    ],
)
def test_angry_words(text: str, angry: bool) -> None:
    """In English and Chinese; what is denied does not count, nor a word inside another one."""
    assert is_angry(text) is angry
    assert is_angry("كم هذا سيئ", more="غالٍ، سيئ") and not is_angry("كم هذا سيئ", more="غالٍ")


def test_an_angry_customer(plus: Product, ticket: Ticket, anna: User, agent: User, configure: Make) -> None:
    """Her last messages, not the agent's; the owner has words of their own."""
    reply(ticket, MessageDraft(text="This is terrible service."), anna)
    solve(ticket, agent)
    assert keys(ticket) == ["angry"] and advice(ticket).objections == ["the customer writes angrily"]
    for number in range(3):
        reply(ticket, MessageDraft(text=f"Thank you, {number}."), anna)
    reply(ticket, MessageDraft(text="Your terrible day is over."), agent)
    solve(ticket, agent)
    assert keys(ticket) == []
    configure(RecommendationSettings, angry_words="grumble, 呸")
    reply(ticket, MessageDraft(text="呸，下次再说"), anna)
    solve(ticket, agent)
    assert keys(ticket) == ["angry"]


def test_cooling_off(
    plus: Product, product: Make, rule: Make, solved: Ticket, anna: User, agent: User, make_ticket: Make, travel: Make
) -> None:
    """Between two offers; that an agent has looked is none."""
    (row,) = suggestions.show(solved, agent).rows
    later = make_ticket("A question", requester=anna)
    solve(later, agent)
    assert keys(later) == []
    suggestions.offer(row, agent)
    assert advice(later).objections == ["the customer was offered something today already"]
    travel(days=29)
    assert keys(later) == ["cooling"] and "29 days ago" in advice(later).objections[0]
    travel(days=2)
    assert keys(later) == []


def test_declined_before(
    plus: Product, product: Make, rule: Make, solved: Ticket, anna: User, agent: User, make_ticket: Make, travel: Make
) -> None:
    """That product for a year; who only said “later” is asked after the days between two offers."""
    rule(product("BAG", "Bag"))
    rows = {row.sku: row for row in suggestions.show(solved, agent).rows}
    suggestions.decline(rows["PLUS"], "price", "Too dear.", agent)
    suggestions.decline(rows["BAG"], "later", "", agent)
    assert rows["PLUS"].state == DECLINED
    later = make_ticket("A question", requester=anna)
    solve(later, agent)
    travel(days=31)
    found = advice(later)
    assert [one.sku for one in found.suggestions] == ["BAG"] and ("Plus plan", "was declined before") in found.left_out
    travel(days=335)
    assert set(skus(later)) == {"PLUS", "BAG"}


def test_no_consent(plus: Product, solved: Ticket, anna: User, configure: Make) -> None:
    """Withdrawn; not asked for, where the owner says so; and whoever wants no such mails at all."""
    note_consent(anna, "offers", False, None, way="phone")
    assert advice(solved).objections == ["the customer has not agreed to offers"] and keys(solved) == ["no_consent"]
    configure(RecommendationSettings, consent_required=False)
    assert keys(solved) == []
    with transaction():
        anna.care_mail = False
    assert advice(solved).objections == ["the customer wants no mails that nobody asked for"]


def test_not_available(product: Make, rule: Make, solved: Ticket, anna: User, bought: Make, run_jobs: Make) -> None:
    """Off, not yet, no more, no price, owned, replaced, without what it requires."""
    today = now().date()
    bought(anna, "OLD", "NEW")
    run_jobs()
    names = {
        "OFF": {"active": False},
        "SOON": {"starts": today + timedelta(days=2)},
        "GONE": {"ends": today - timedelta(days=2)},
        "FREE": {"amount": None},
        "OLD": {},
        "NEW": {"relations": [{"kind": "replaces", "sku": "OLD"}]},
        "ANCIENT": {},
        "BASE": {},
        "ADDON": {"kind": "addon", "relations": [{"kind": "requires", "sku": "BASE"}]},
    }
    for sku, values in names.items():
        rule(product(sku, sku.title(), **values))
    old, ancient = catalogue.by_sku("OLD"), catalogue.by_sku("ANCIENT")
    assert old is not None and ancient is not None
    catalogue.relate(old, "replaces", ancient, None)
    found = advice(solved)
    assert [one.sku for one in found.suggestions] == ["BASE"]
    assert dict(found.left_out) == {
        "Off": "is not sold now",
        "Soon": "is not sold now",
        "Gone": "is not sold now",
        "Free": "has no price in EUR",
        "Old": "is owned already",
        "New": "is owned already",
        "Ancient": "was replaced by New, which is owned already",
        "Addon": "requires Base, which is not owned",
    }


def test_a_colleague(plus: Product, agent: User, make_ticket: Make) -> None:
    ticket = make_ticket("My own question", requester=agent)
    solve(ticket, None)
    assert "nobody" in keys(ticket) and skus(ticket) == []


def test_other_plugins_object(plug: Make, plus: Product, solved: Ticket) -> None:
    """And say who is angry; one that fails keeps nobody from anything."""

    @hookimpl(optionalhook=True)
    def upsell_objections(ticket: Ticket) -> list[str]:
        return ["the customer is on holiday"]

    @hookimpl(optionalhook=True)
    def upsell_is_angry(text: str) -> bool | None:
        return True if "order" in text else None

    plug("watchful", upsell_objections=upsell_objections, upsell_is_angry=upsell_is_angry)
    assert set(keys(solved)) == {"angry", "plugin"}
    assert "the customer is on holiday" in advice(solved).objections


def test_a_rule_that_was_stopped_suggests_nothing(product: Make, rule: Make, solved: Ticket) -> None:
    made: Rule = rule(product("PLUS"))
    with transaction():
        made.stopped_at = now()
    rules.switch_rule(made, False, None)
    assert advice(solved).objections == ["no rule fits this customer and this ticket"]


def test_nothing_without_customer_records(plus: Product, solved: Ticket, agent: User, monkeypatch: Any) -> None:
    """The plugin of customers is off: this one rests."""
    monkeypatch.setattr(recommending, "ask", lambda hook: None)
    assert advice(solved).objections == ["customer records are switched off"]
    assert suggestions.show(solved, agent).rows == []


def test_what_is_over_is_not_offered(plus: Product, solved: Ticket, agent: User, travel: Make) -> None:
    (row,) = suggestions.show(solved, agent).rows
    travel(days=15)
    with pytest.raises(Refused):
        suggestions.offer(row, agent)
