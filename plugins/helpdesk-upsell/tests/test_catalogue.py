"""Products, prices, relations, rules: what may be typed, and what it says. register_settings, register_permissions."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from helpdesk_customers import segments
from helpdesk_customers.api import Segment, add_tags
from helpdesk_upsell import catalogue, conditions, profiles, promotions, rules
from helpdesk_upsell.models import CATALOGUE, GOES_WITH, REPLACES, REQUIRES, Pair, Product, Profile, Relation
from helpdesk_upsell.promotions import reduced
from helpdesk_upsell.recommending import advice
from helpdesk_upsell.relations import leads_to
from helpdesk_upsell.scoring import Score, of_pair, of_rule, order
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Invalid, Ticket, User, db, now, set_language, speaking, tag, transaction

Make = Callable[..., Any]


@pytest.mark.db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"sku": " "}, "sku"),
        ({"sku": "ｐｌｕｓ"}, "sku"),
        ({"sku": "x" * 65}, "sku"),
        ({"kind": "car"}, "kind"),
        ({"starts": "2026-05-02", "ends": "2026-05-01"}, "ends"),
        ({"starts": "May"}, "starts"),
        ({"margin": 101}, "margin"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"prices": [{"currency": "EUR", "amount": -1}]}, "amount"),
        ({"prices": [{"currency": "EUR", "amount": 12.5}]}, "amount"),
        ({"prices": [{"currency": "EUR", "amount": 10**14}]}, "amount"),
        ({"prices": [{"currency": "XYZ", "amount": 1}]}, "currency"),
        ({"prices": [{"currency": "EUR", "period": "week", "amount": 1}]}, "period"),
        ({"prices": [{"currency": "EUR", "amount": 1}, {"currency": "eur", "amount": 2}]}, "prices"),
        ({"texts": {"klingonisch": {"name": "X"}}}, "texts"),
        ({"texts": {"en": {"name": "x" * 201}}}, "name"),
        ({"relations": [{"kind": "replaces", "sku": "NOWHERE"}]}, "relations"),
        ({"relations": [{"kind": "hates", "sku": "PLUS"}]}, "relations"),
    ],
)
def test_bad_input(product: Make, values: dict[str, Any], field: str) -> None:
    """One clear sentence at its field, and nothing is written."""
    product("PLUS")
    with pytest.raises(Invalid) as error:
        catalogue.save_product(None, {"sku": "NEW", **values}, None)
    assert error.value.field == field and str(error.value).endswith(".")
    assert [one.sku for one in catalogue.products()] == ["PLUS"]


def test_a_circle_is_refused(product: Make) -> None:
    """Of what replaces and of what requires; what goes with another may go both ways."""
    one, two, three = product("A"), product("B"), product("C")
    for kind in (REPLACES, REQUIRES):
        catalogue.relate(two, kind, one, None)
        catalogue.relate(three, kind, two, None)
        catalogue.relate(three, kind, two, None)
        for other in (three, one):
            with pytest.raises(Invalid):
                catalogue.relate(one, kind, other, None)
    with pytest.raises(Invalid) as error:
        catalogue.save_product(one, {"relations": [{"kind": "replaces", "sku": "c"}]}, None)
    assert error.value.field == "relations"
    catalogue.relate(one, GOES_WITH, three, None)
    catalogue.relate(three, GOES_WITH, one, None)
    assert db.session.scalar(db.select(db.func.count()).select_from(Relation)) == 6
    catalogue.unrelate(three, REPLACES, two, None)
    catalogue.relate(one, REPLACES, three, None)


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20), st.integers(0, 7), st.integers(0, 7))
def test_a_way_is_found_where_there_is_one(pairs: set[tuple[int, int]], start: int, end: int) -> None:
    edges: dict[int, set[int]] = {}
    for one, two in pairs:
        edges.setdefault(one, set()).add(two)
    reached = {start}
    for _step in range(8):
        reached |= {two for one, two in pairs if one in reached}
    assert leads_to(start, end, edges) == (end in reached)


def test_products_are_found_and_listed(product: Make, bought: Make, anna: User) -> None:
    """By SKU however it is written, by a part of a name, page by page; what only orders know is told."""
    for sku, name in (("B-2", "Blue lamp"), ("A-1", "Bell_1"), ("C-3", "单车铃")):
        product(sku, name)
    assert [one.sku for one in catalogue.products(most=2)] == ["A-1", "B-2"]
    assert [one.sku for one in catalogue.products(after="B-2")] == ["C-3"]
    assert [one.sku for one in catalogue.products("LAMP")] == ["B-2"]
    assert [one.sku for one in catalogue.products("bell_")] == ["A-1"] and list(catalogue.products("bell%")) == []
    found = catalogue.by_sku(" ｂ-2 ")
    assert found is not None and catalogue.name_of(found, "de") == "Blue lamp"
    catalogue.save_texts(found, "de", {"name": "Blaue Lampe"}, None)
    assert (catalogue.name_of(found, "de_AT"), catalogue.name_of(found, "en")) == ("Blaue Lampe", "Blue lamp")
    bought(anna, "A-1", "X-9")
    assert list(catalogue.unknown_skus()) == [("X-9", "X-9", 1)]


def test_texts_for_a_customer_are_in_her_language(product: Make, rule: Make, solved: Ticket) -> None:
    plus = product("PLUS", "Plus plan")
    catalogue.save_texts(plus, "zh_Hans", {"name": "高级版", "pitch": "更多空间。"}, None)
    rule(plus)
    set_language(solved, "zh_Hans", None)
    (found,) = advice(solved).suggestions
    assert (found.name, found.pitch, found.language) == ("高级版", "更多空间。", "zh_Hans")
    assert found.reason == "Plus plan is suggested to everybody."


def test_a_rule_can_be_read(product: Make, rule: Make) -> None:
    """One sentence that says all of it."""
    product("BASIC", "Basic plan")
    made = rule(
        product("PLUS", "Plus plan"), ("owns", "basic"), ("spent_least", {"amount": 50_000, "currency": "EUR"}),
        ("owned_for", {"skus": ["BASIC"], "days": 90}), ("tag", "limit, full"), ("orders_least", 1),
    )  # fmt: skip
    assert rules.sentence(made) == (
        "Suggest Plus plan when the customer owns Basic plan, the customer has spent at least €500.00, the customer "
        "has owned Basic plan for at least 90 days, the ticket has the tag limit or full, and the customer has at "
        "least 1 order."
    )
    with speaking("zh_Hans"):
        assert conditions.both(["甲", "乙"]) == "甲，乙"
    assert rules.sentence(rule(product("BAG", "Bag"))) == "Suggest Bag to everybody."
    assert rules.sentence(rule(None, name="All", kind=CATALOGUE)) == (
        "Suggest what replaces, or goes with, what the customer owns to everybody."
    )


@pytest.mark.parametrize(
    "given_one",
    [
        {"what": "shoe_size", "value": 42},
        {"what": "owns", "value": []},
        {"what": "owns", "value": "NOWHERE"},
        {"what": "orders_least", "value": 0},
        {"what": "orders_least", "value": True},
        {"what": "spent_least", "value": {"amount": -5, "currency": "EUR"}},
        {"what": "spent_least", "value": {"amount": 5, "currency": "Euro"}},
        {"what": "segment", "value": ["x"]},
        {"what": "ends_within", "value": {"skus": ["PLUS"], "days": 0}},
        {"what": "words", "value": None},
        "nonsense",
    ],
)
def test_conditions_that_cannot_be(product: Make, given_one: Any) -> None:
    product("PLUS")
    with pytest.raises(Invalid) as error:
        conditions.clean([given_one])
    assert error.value.field == "conditions"


def segment(name: str, tag_of_person: str) -> Segment:
    conditions_of = [{"what": "tag", "how": "has", "value": tag_of_person}]
    return segments.save(None, {"name": name, "conditions": conditions_of}, None)


def test_what_conditions_look_at(
    product: Make, rule: Make, bought: Make, anna: User, agent: User, solved: Ticket, run_jobs: Make, travel: Make
) -> None:
    """Each of them holds, and does not hold, on the same customer and ticket."""
    bought(anna, "BASIC", "LAMP")
    today = now().date()
    basic, lamp = product("BASIC"), product("LAMP")
    tag(solved, ["Limit"], agent)
    run_jobs()
    travel(days=40)
    today = now().date()
    target = product("TARGET", amount=2_000, kind="addon", category="Bags")
    promotions.save_promotion(
        None, target, {"name": "Now", "percent": 50, "starts": today, "ends": today + timedelta(days=1)}, None
    )
    add_tags(anna, ["regular"], agent)
    tagged, others = (segment(name, tag) for name, tag in (("Regular", "regular"), ("Others", "other")))
    yes_and_no = [
        (("owns", [basic.sku, "TARGET"]), ("owns", ["TARGET"])),
        (("owns_not", ["TARGET"]), ("owns_not", [lamp.sku])),
        (("orders_least", 1), ("orders_least", 2)),
        (("spent_least", {"amount": 2_000, "currency": "EUR"}), ("spent_least", {"amount": 1, "currency": "USD"})),
        (("ordered_within", 41), ("ordered_within", 39)),
        (("quiet_for", 39), ("quiet_for", 41)),
        (("owned_for", {"skus": ["BASIC"], "days": 39}), ("owned_for", {"skus": ["BASIC"], "days": 41})),
        (("language", ["en"]), ("language", ["de"])),
        (("product_kind", ["addon"]), ("product_kind", ["plan"])),
        (("category", ["bags"]), ("category", ["lamps"])),
        (("on_promotion", True), ("ends_within", {"skus": ["BASIC"], "days": 3_000})),
        (("costs_most", {"amount": 1_000, "currency": "EUR"}), ("costs_most", {"amount": 999, "currency": "EUR"})),
        (("tag", ["limit"]), ("tag", ["other"])),
        (("tag_not", ["other"]), ("tag_not", ["LIMIT"])),
        (("words", ["order"]), ("words", ["lamp"])),
        (("channel", [solved.channel]), ("channel", ["pigeon"])),
        (("segment", [tagged.id]), ("segment_not", [tagged.id])),
        (("segment_not", [others.id]), ("segment", [others.id])),
    ]
    made = rule(target)
    # A segment that is new or means something else is asked about anew.
    run_jobs()
    for yes, no in yes_and_no:
        for (what, value), holds in ((yes, True), (no, False)):
            rules.save_rule(made, {"conditions": [{"what": what, "value": value}]}, None)
            found = advice(solved)
            assert bool(found.suggestions) is holds, (what, value, found.objections)
            assert rules.sentence(made).startswith("Suggest Target when ")


def test_what_a_rule_suggests_stays(product: Make, rule: Make) -> None:
    """Its effect is measured; names are not given twice."""
    made, bag = rule(product("PLUS")), product("BAG")
    for values, field in (
        ({"product": bag}, "product"), ({"kind": "together"}, "product"), ({"name": " "}, "name"),
        ({"weight": 6}, "weight"), ({"holdout": 51}, "holdout"), ({"reasons": {"en": "x" * 501}}, "reasons"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as error:
            rules.save_rule(made, values, None)
        assert error.value.field == field
    with pytest.raises(Invalid, match="already"):
        rule(bag, name=made.name)
    assert rules.find_rule(made.id) is not None and [one.id for one in rules.rules()] == [made.id]
    rules.delete_rule(made, None)
    assert rules.rules() == []


@given(st.integers(0, 10**13), st.integers(1, 100))
def test_a_promotion_never_costs_more(amount: int, percent: int) -> None:
    """And less by no more than one unit than what it says."""
    assert amount * (100 - percent) - 100 < 100 * reduced(amount, percent) <= amount * (100 - percent)


@given(
    st.integers(1, 5), st.integers(1, 5), st.integers(0, 100), st.integers(0, 100), st.integers(0, 6), st.integers(0, 6)
)
def test_fit_comes_before_margin(one: int, two: int, margin: int, other: int, few: int, many: int) -> None:
    """Whatever is earned: what fits better is ahead; the margin only decides among equals."""
    first = Score(tuple(of_rule(one, [{"what": "owns"}] * few)))
    second = Score(tuple(of_rule(two, [{"what": "owns"}] * many)))
    if first.fit > second.fit:
        assert order(first.fit, margin) < order(second.fit, other)
    if first.fit == second.fit:
        assert (order(first.fit, margin) < order(second.fit, other)) == (margin > other)


@given(st.integers(2, 1_000), st.integers(0, 1_000), st.integers(0, 1_000), st.integers(0, 100_000))
def test_points_of_a_pair_stay_in_bounds(together: int, more_a: int, more_b: int, rest: int) -> None:
    pair = Pair(
        sku_a="A", sku_b="B", together=together, count_a=together + more_a, count_b=together + more_b,
        baskets=together + more_a + more_b + rest,
    )  # fmt: skip
    parts = dict(of_pair(pair))
    assert 0 <= parts["confidence"] <= 20 and 0 <= parts["lift"] <= 10


def test_promotions_say_when(product: Make) -> None:
    plus: Product = product("PLUS")
    first = {"name": "Spring", "percent": 10, "starts": date(2026, 3, 1), "ends": date(2026, 3, 2)}
    for wrong in ({"percent": 0}, {"percent": 101}, {"ends": date(2026, 2, 1)}, {"starts": ""}, {"name": ""}):
        with pytest.raises(Invalid):
            promotions.save_promotion(None, plus, {**first, **wrong}, None)
    made = promotions.save_promotion(None, plus, first, None)
    assert [one.id for one in promotions.promotions()] == [made.id]
    promotions.delete_promotion(made, None)
    assert promotions.find_promotion(made.id) is None and list(promotions.promotions()) == []


def test_what_is_known_is_found_out_anew(anna: User, agent: User, run_jobs: Make) -> None:
    """When her record changes, and when a segment means something else. customers_record_changed,
    customers_segment_changed.
    """
    run_jobs()

    def kept_after(change: Callable[[], Any]) -> bool:
        with transaction():
            profiles.known(anna, keep=True)
        assert db.session.get(Profile, anna.id) is not None
        change()
        run_jobs()
        db.session.expire_all()
        return db.session.get(Profile, anna.id) is not None

    assert not kept_after(lambda: add_tags(anna, ["regular"], agent))
    assert not kept_after(lambda: segment("Regular", "regular"))
    assert kept_after(lambda: None) and len(profiles.find(anna).segments) == 1
