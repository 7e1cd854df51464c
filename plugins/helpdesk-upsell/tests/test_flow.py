"""From a suggestion to a purchase: shown, offered, answered, bought, merged, erased. register_hookspecs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_customers.api import OrderData, has_consent, save_order
from helpdesk_upsell import catalogue, guarding, measuring, prepared, promotions, rules, suggestions, words
from helpdesk_upsell.api import recommendations
from helpdesk_upsell.models import ACCEPTED, BOUGHT, DECLINED, OFFERED, SHOWN, Profile, Rule, Suggestion, Trial
from helpdesk_upsell.offers import offer_url, open_offer, state_of
from helpdesk_upsell.permissions import MANAGE, USE
from helpdesk_upsell.personal import erase_personal_data, export_personal_data
from helpdesk_upsell.recommending import advice
from helpdesk_upsell.settings import RecommendationSettings

from helpdesk.api import (
    Invalid,
    NotAllowed,
    Refused,
    Ticket,
    User,
    allowed,
    db,
    hookimpl,
    merge_people,
    now,
    solve,
    speaking,
    transaction,
    unmerge_people,
)

Make = Callable[..., Any]


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[1]


def trials() -> list[Trial]:
    db.session.expire_all()
    return list(db.session.scalars(db.select(Trial).order_by(Trial.id)))


@pytest.mark.db
def test_from_a_suggestion_to_a_purchase(
    product: Make, rule: Make, bought: Make, solved: Ticket, anna: User, agent: User, plug: Make, run_jobs: Make,
    travel: Make,
) -> None:  # fmt: skip
    """Each step once; other plugins hear of it; the purchase is found in the orders and in the figures.

    customers_products_changed.
    """
    heard: list[tuple[Any, ...]] = []

    def hear(what: str) -> Any:
        @hookimpl(optionalhook=True)
        def told(ticket_id: int, person_id: int, sku: str) -> None:
            heard.append((what, ticket_id, person_id, sku))

        return told

    plug(
        "probe",
        upsell_suggestion_shown=hear("shown"),
        upsell_suggestion_accepted=hear("accepted"),
        upsell_suggestion_declined=hear("declined"),
    )
    bought(anna, "BASIC")
    basic = product("BASIC", "Basic plan")
    plus = product("PLUS", "Plus plan", 1_250, relations=[{"kind": "replaces", "sku": "BASIC"}])
    made: Rule = rule(plus, ("owns", [basic.sku]), reasons={"en": "Basic is full."}, pitches={"en": "More space."})
    run_jobs()
    assert [one.sku for one in recommendations(solved, anna)] == ["PLUS"]
    # Looking is no showing: nothing is measured before an agent has opened it.
    assert trials() == [] and list(suggestions.of_ticket(solved)) == []
    (row,) = suggestions.show(solved, agent).rows
    (again,) = suggestions.show(solved, agent).rows
    assert (row.id, row.state, row.reason, row.amount) == (again.id, SHOWN, "Basic is full.", 1_250)
    (trial,) = trials()
    assert (trial.key, trial.held, trial.user_id, trial.sku) == (f"rule:{made.id}", False, anna.id, "PLUS")
    assert open_offer(row.id, token_of(offer_url(row))) is None
    words = suggestions.offer(row, agent)
    assert words.splitlines() == ["More space.", "Plus plan: €12.50", f"See the offer: {offer_url(row)}"]
    found = open_offer(row.id, token_of(offer_url(row)))
    assert found is not None and found.id == row.id and state_of(found) == "open"
    for forged in ("x", token_of(offer_url(row))[:-1] + "!", ""):
        assert open_offer(row.id, forged) is None
    assert open_offer(row.id + 1, token_of(offer_url(row))) is None and open_offer(2**70, "x") is None
    suggestions.interested(found, None, by_customer=True)
    suggestions.accept(found, None, by_customer=True)
    suggestions.accept(found, None, by_customer=True)
    assert found.state == ACCEPTED and state_of(found) == "answered"
    with pytest.raises(Refused):
        suggestions.decline(found, "price", "", None, by_customer=True)
    run_jobs()
    assert heard == [("shown", solved.id, anna.id, "PLUS"), ("accepted", solved.id, anna.id, "PLUS")]
    travel(days=3)
    order = bought(anna, "PLUS", number="7")
    run_jobs()
    db.session.expire_all()
    assert (row.state, row.revenue, row.revenue_currency, row.bought_at) == (BOUGHT, 1_000, "EUR", order.placed_at)
    figures = measuring.figures_of(made)
    assert (figures.shown.people, figures.shown.bought, figures.held.people) == (1, 1, 0)
    assert figures.funnel == {BOUGHT: 1} and figures.verdict == "too_few"
    assert figures.revenue == [("EUR", 1_000, 0, None, None)]
    # She owns it now.
    assert advice(solved).suggestions == []


def test_a_price_that_changes_holds_as_it_was_shown(
    product: Make, rule: Make, solved: Ticket, agent: User, travel: Make
) -> None:
    """Until the offer is over. A promotion is part of it, and its end too."""
    plus = product("PLUS", "Plus plan", 1_999)
    rule(plus)
    today = now().date()
    promotions.save_promotion(
        None,
        plus,
        {"name": "Spring", "percent": 10, "starts": today, "ends": today + timedelta(days=2),
         "texts": {"en": "A tenth less."}},
        None,
    )  # fmt: skip
    (row,) = suggestions.show(solved, agent).rows
    # Ten percent of 19.99 are rounded in favour of the customer.
    assert (row.amount, row.list_amount, suggestions.price_changed(row)) == (1_799, 1_999, False)
    assert "Instead of €19.99." in suggestions.offer(row, agent) and "A tenth less." in row.pitch
    catalogue.set_price(plus, "EUR", "once", 2_999, None)
    assert suggestions.price_changed(row)
    suggestions.accept(row, None, by_customer=True)
    assert row.state == ACCEPTED and row.amount == 1_799
    travel(days=15)
    assert suggestions.price_changed(row)


def test_what_cannot_be_accepted(product: Make, rule: Make, solved: Ticket, agent: User, travel: Make) -> None:
    """Too late, or not sold any more; declining is always possible, with a reason that there is."""
    plus = product("PLUS")
    rule(plus)
    (row,) = suggestions.show(solved, agent).rows
    suggestions.offer(row, agent)
    catalogue.save_product(plus, {"active": False}, None)
    with pytest.raises(Refused, match="not sold"):
        suggestions.accept(row, None, by_customer=True)
    travel(days=15)
    assert state_of(row) == "over"
    with pytest.raises(Refused, match="over"):
        suggestions.accept(row, None, by_customer=True)
    with pytest.raises(Invalid):
        suggestions.decline(row, "whim", "", None, by_customer=True)
    with pytest.raises(Invalid):
        suggestions.decline(row, "other", "x" * 1_001, None, by_customer=True)
    suggestions.decline(row, "other", "No\x00, thanks.", None, by_customer=True, no_more=True)
    assert (row.state, row.why, row.words) == (DECLINED, "other", "No, thanks.")
    assert not has_consent(solved.requester_id, "offers")


def test_who_may(product: Make, rule: Make, solved: Ticket, anna: User, agent: User, make_user: Make) -> None:
    """Agents suggest; the catalogue and the rules are their supervisors'; customers only answer their own offer."""
    plus = product("PLUS")
    made = rule(plus)
    for role, rights in (("requester", (False, False)), ("agent", (True, False)), ("supervisor", (True, True))):
        user = make_user(role)
        assert (allowed(user, USE), allowed(user, MANAGE)) == rights
    with pytest.raises(NotAllowed):
        suggestions.show(solved, anna)
    (row,) = suggestions.show(solved, agent).rows
    for act in (
        lambda: suggestions.offer(row, anna),
        lambda: suggestions.accept(row, anna),
        lambda: suggestions.mark_bought(row, None, anna),
        lambda: catalogue.save_product(plus, {"active": False}, agent),
        lambda: catalogue.set_price(plus, "EUR", "once", 1, agent),
        lambda: rules.save_rule(made, {"weight": 5}, agent),
        lambda: rules.switch_rule(made, False, agent),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert suggestions.find(row.id, agent) is not None and suggestions.find(row.id, anna) is None
    assert [one.id for one in suggestions.listed(agent)] == [row.id] and suggestions.listed(agent, ACCEPTED) == []
    with pytest.raises(Invalid, match="too large"):
        suggestions.mark_bought(row, 10**14, agent)
    suggestions.mark_bought(row, None, agent)
    # A purchase by hand is no purchase of the comparison: of those held back nobody would note one.
    assert row.state == BOUGHT and trials()[0].bought_at is None


def test_who_is_held_back_sees_nothing_and_is_counted(
    product: Make, rule: Make, bought: Make, make_user: Make, make_ticket: Make, agent: User, configure: Make,
    run_jobs: Make, travel: Make,
) -> None:  # fmt: skip
    """Each once, however often she writes; the share may change, her group stays; returned orders count no more."""
    configure(RecommendationSettings, consent_required=False, enough=10)
    made = rule(product("PLUS"), holdout=50)
    people = [make_user(name=f"Person {number}") for number in range(24)]
    for person in people:
        ticket = make_ticket("A question", requester=person)
        solve(ticket, agent)
        found = suggestions.show(ticket, agent)
        if found.held:
            assert found.rows == [] and "the effect can be measured" in found.objections[0]
    groups = {one.user_id: one.held for one in trials()}
    assert len(groups) == 24 and 4 <= sum(groups.values()) <= 20
    rules.save_rule(made, {"holdout": 0}, None)
    held = next(user for user, is_held in groups.items() if is_held)
    other = make_ticket("Another", requester=db.session.get(User, held))
    solve(other, agent)
    assert advice(other).suggestions == [] and len(trials()) == 24
    travel(days=1)
    buyers = {True: 0, False: 0}
    orders = []
    for person in people[:12]:
        orders.append(bought(person, "PLUS"))
        buyers[groups[person.id]] += 1
    run_jobs()
    figures = measuring.figures_of(made)
    assert (figures.shown.bought, figures.held.bought) == (buyers[False], buyers[True])
    assert figures.waiting == 24 and figures.uplift_interval is not None
    with transaction():
        save_order(OrderData(orders[0].number, "EUR", [], user_id=people[0].id, state="returned", amount=1_000))
    run_jobs()
    db.session.expire_all()
    figures = measuring.figures_of(made)
    assert figures.shown.bought + figures.held.bought == 11
    travel(days=40)
    bought(people[20], "PLUS")
    run_jobs()
    late = measuring.figures_of(made)
    assert late.shown.bought + late.held.bought == 11 and late.waiting == 0


def test_a_rule_that_hurts_stops_by_itself(
    product: Make, rule: Make, make_user: Make, make_ticket: Make, agent: User, configure: Make, plug: Make,
    run_jobs: Make,
) -> None:  # fmt: skip
    """Less satisfied, or back with the ticket; doubt stops nothing; switched on anew it suggests again."""
    configure(RecommendationSettings, enough=10)
    made, other = rule(product("PLUS")), rule(product("BAG"))
    scores: dict[int, float] = {}

    @hookimpl(optionalhook=True)
    def upsell_satisfaction(ticket_ids: list[int]) -> list[tuple[int, float]]:
        return [(number, scores[number]) for number in ticket_ids if number in scores]

    plug("voices", upsell_satisfaction=upsell_satisfaction)
    tickets = [make_ticket(f"Ticket {number}", requester=make_user(name=f"P{number}")) for number in range(40)]
    with transaction():
        for number, ticket in enumerate(tickets):
            held = number % 2 == 0
            for one in (made, other):
                db.session.add(
                    Trial(key=f"rule:{one.id}", rule_id=one.id, user_id=ticket.requester_id, ticket_id=ticket.id,
                          sku="X", held=held)
                )  # fmt: skip
            scores[ticket.id] = 1.0 if number % 3 else 0.75
    assert guarding.watch_now() == []
    figures = measuring.figures_of(made)
    assert figures.shown.csat is not None and figures.csat_interval is not None
    assert figures.shown.csat == pytest.approx(0.9125, abs=0.02)
    for number, ticket in enumerate(tickets):
        if number % 2:
            scores[ticket.id] = 0.25 if number % 3 else 0.5
    with transaction():
        db.session.execute(db.update(Trial).where(Trial.key == f"rule:{other.id}").values(held=~Trial.held))
    assert [one.id for one in guarding.watch_now()] == [made.id]
    assert (made.stop_reason, other.stopped_at, rules.stopped_count()) == ("satisfaction", None, 1)
    assert [one.id for one in prepared.rules()] == [other.id]
    rules.switch_rule(made, True, None)
    assert made.stopped_at is None and len(prepared.rules()) == 2
    scores.clear()
    with transaction():
        for trial in db.session.scalars(db.select(Trial).where(Trial.key == f"rule:{other.id}")).all():
            trial.satisfaction = None
        db.session.execute(db.update(Trial).where(Trial.key == f"rule:{made.id}").values(satisfaction=None))
        for ticket in db.session.scalars(db.select(Ticket).where(Ticket.id.in_([one.id for one in tickets[::2]]))):
            ticket.reopened = 1
    assert [one.id for one in guarding.watch_now()] == [other.id] and other.stop_reason == "reopened"


def test_two_people_turn_out_to_be_one(
    product: Make, rule: Make, solved: Ticket, anna: User, agent: User, boss: User, make_user: Make,
    make_ticket: Make, configure: Make, run_jobs: Make,
) -> None:  # fmt: skip
    """Her suggestions follow; of two trials of a rule one is left out, both when they were in different groups.

    people_merged, people_unmerged.
    """
    configure(RecommendationSettings, consent_required=False)
    one, two = rule(product("PLUS")), rule(product("BAG"))
    (first, second) = suggestions.show(solved, agent).rows
    twin = make_user(name="Anna B.", email="annab@customer.example")
    question = make_ticket("A question", requester=twin)
    solve(question, agent)
    suggestions.show(question, agent)
    with transaction():
        for trial in trials():
            if trial.user_id == twin.id and trial.key == f"rule:{two.id}":
                trial.held = True
    merge = merge_people(anna, twin, boss)
    run_jobs()
    db.session.expire_all()
    assert {row.user_id for row in db.session.scalars(db.select(Suggestion))} == {anna.id}
    assert measuring.figures_of(one).shown.people == 1
    both = measuring.figures_of(two)
    assert (both.shown.people, both.held.people) == (0, 0)
    unmerge_people(merge, boss)
    run_jobs()
    db.session.expire_all()
    assert {row.user_id for row in db.session.scalars(db.select(Suggestion))} == {anna.id, twin.id}
    assert measuring.figures_of(one).shown.people == 2
    both = measuring.figures_of(two)
    assert (both.shown.people, both.held.people) == (1, 1)
    assert {first.user_id, second.user_id} == {anna.id}


def test_a_person_is_exported_and_erased(
    product: Make, rule: Make, solved: Ticket, anna: User, agent: User, bought: Make, run_jobs: Make
) -> None:
    """What was suggested and bought is still counted, and is nobody's; the link opens nothing."""
    made = rule(product("PLUS"))
    rule(product("BAG"))
    rows = {row.sku: row for row in suggestions.show(solved, agent).rows}
    suggestions.offer(rows["PLUS"], agent)
    link = offer_url(rows["PLUS"])
    suggestions.decline(rows["BAG"], "other", "My name is Anna.", agent)
    bought(anna, "PLUS")
    run_jobs()
    found = export_personal_data(anna)
    assert {one["product"]: one["words"] for one in found["suggestions"]} == {"PLUS": "", "BAG": "My name is Anna."}
    assert len(found["compared"]) == 2 and export_personal_data(agent) == {}
    with transaction():
        erase_personal_data(anna)
    db.session.expire_all()
    assert export_personal_data(anna) == {} and db.session.get(Profile, anna.id) is None
    assert open_offer(rows["PLUS"].id, token_of(link)) is None and offer_url(rows["PLUS"]) == ""
    assert (rows["BAG"].words, rows["BAG"].state, rows["PLUS"].state) == ("", DECLINED, BOUGHT)
    figures = measuring.figures_of(made)
    assert (figures.shown.people, figures.shown.bought) == (1, 1)
    with transaction():
        erase_personal_data(agent)
    db.session.expire_all()
    assert {row.shown_by_id for row in rows.values()} == {None}


def test_other_plugins_recommend(product: Make, solved: Ticket, anna: User, agent: User, plug: Make) -> None:
    """Through the same gates; what is not as it should be is left out."""
    product("LOCK", "Lock")
    good = {"sku": "lock ", "fit": 20, "reason": "It names a theft.", "source": "orders", "pitch": "Ride safely."}

    @hookimpl(optionalhook=True)
    def upsell_recommendations(ticket: Ticket, customer: User) -> list[Any]:
        return [good, {**good, "sku": "NONE"}, {**good, "fit": 99}, {"sku": "LOCK"}, "nonsense", {**good, "sku": ""}]

    plug("orders", upsell_recommendations=upsell_recommendations)
    (found,) = advice(solved).suggestions
    assert (found.sku, found.key, found.score, found.pitch) == ("LOCK", "plugin:orders", 20, "Ride safely.")
    (row,) = suggestions.show(solved, agent).rows
    assert row.rule_id is None and row.state == SHOWN and suggestions.offer(row, agent)
    assert row.state == OFFERED
    assert [one.key for one in measuring.board() if one.rule is None] == ["plugin:orders"]


def test_few_queries(
    product: Make, rule: Make, solved: Ticket, agent: User, anna: User, bought: Make, run_jobs: Make,
    count_queries: Make,
) -> None:  # fmt: skip
    """The panel asks one; what fits is found in a fixed number, however many rules there are."""
    bought(anna, "OLD")
    rule(None, name="Together", kind="together")
    for number in range(12):
        rule(product(f"P{number}"), ("owns", ["P0"]) if number else ("orders_least", 1))
    run_jobs()
    suggestions.show(solved, agent)
    db.session.expire_all()
    number = solved.id
    with count_queries() as asked:
        suggestions.of_ticket(db.session.get(Ticket, number))
    assert len(asked) <= 2, asked
    # A page of a ticket has its requester anyway.
    assert solved.requester.name and solved.category
    with count_queries() as none:
        assert suggestions.waits(solved) == ""
    assert none == [], none
    db.session.execute(db.delete(Suggestion))
    db.session.commit()
    advice(solved)
    db.session.commit()
    ticket = db.session.get(Ticket, number)
    with count_queries() as asked:
        advice(ticket)
    assert len(asked) <= 18, asked


def test_the_reason_is_in_the_language_of_who_reads_it(
    product: Make, rule: Make, solved: Ticket, agent: User, anna: User, bought: Make, run_jobs: Make
) -> None:
    """Whoever looked first may speak another language; what the customer reads is in hers either way."""
    bought(anna, "BASIC")
    run_jobs()
    rule(product("PLUS", texts={"en": {"name": "Plus", "pitch": "More."}, "es": {"name": "Más", "pitch": ""}}))
    said = rule(product("BAG"), reasons={"en": "It rains.", "es": "Llueve."})
    with speaking("es"):
        suggestions.show(solved, agent)
    rows = {one.sku: one for one in suggestions.of_ticket(solved)}
    assert words.why_it_fits(rows["PLUS"]) == "Plus is suggested to everybody."
    assert words.why_it_fits(rows["BAG"]) == "It rains." and rows["BAG"].rule_id == said.id
    assert rows["PLUS"].pitch == "More." and rows["PLUS"].language == "en"
    with speaking("es"):
        assert "Más" in words.why_it_fits(rows["PLUS"])
        assert words.why_it_fits(rows["BAG"]) == "Llueve."
