"""What is bought together, beside published figures; register_jobs, register_schedules, register_commands."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import pytest
from click.testing import CliRunner
from helpdesk_customers.api import LineData, Order, OrderData, save_order
from helpdesk_upsell import mining, profiles, rules
from helpdesk_upsell.cli import register_commands
from helpdesk_upsell.models import Pair
from helpdesk_upsell.recommending import advice
from helpdesk_upsell.settings import RecommendationSettings
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from helpdesk.api import Ticket, User, db, schedule, transaction

Make = Callable[..., Any]
# The example of the user guide of mlxtend (https://rasbt.github.io/mlxtend/user_guide/frequent_patterns/association_rules/),
# which shows its association rules for these five baskets; one of them has a product twice.
BASKETS = (
    ("Milk", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"),
    ("Dill", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"),
    ("Milk", "Apple", "Kidney Beans", "Eggs"),
    ("Milk", "Unicorn", "Corn", "Kidney Beans", "Yogurt"),
    ("Corn", "Onion", "Onion", "Kidney Beans", "Ice cream", "Eggs"),
)


@pytest.fixture
def buy(app: Any) -> Callable[..., None]:
    """Orders, one for each basket, of nobody."""

    def make(baskets: Sequence[Sequence[str]], person: User | None = None, **values: Any) -> None:
        with transaction():
            for number, basket in enumerate(baskets):
                lines = [LineData(sku, sku, 1, 100) for sku in basket]
                name = f"{person.id if person else 0}-{number}-{len(baskets)}"
                save_order(OrderData(name, "EUR", lines, user_id=person.id if person else None, **values))

    return make


def figures() -> dict[tuple[str, str], tuple[float, float, float]]:
    return {
        (one.sku_a, one.sku_b): (round(one.support, 4), round(one.confidence, 4), round(one.lift, 4))
        for one in db.session.scalars(db.select(Pair))
    }


@pytest.mark.db
def test_figures_equal_those_of_a_published_example(buy: Make, configure: Make) -> None:
    """Support, confidence and lift, in both directions; no more often than by chance is no pair."""
    configure(RecommendationSettings, together_least=3, lift_least=101)
    buy(BASKETS)
    count = mining.mine_now()
    assert (count.baskets, count.pairs) == (5, 1)
    # Kidney beans are in every basket: their lift is 1 with whatever it is.
    assert figures() == {("ONION", "EGGS"): (0.6, 1.0, 1.25), ("EGGS", "ONION"): (0.6, 0.75, 1.25)}
    configure(RecommendationSettings, together_least=2, lift_least=101)
    mining.mine_now()
    assert figures()["NUTMEG", "ONION"] == (0.4, 1.0, 1.6667) and figures()["YOGURT", "NUTMEG"] == (0.4, 0.6667, 1.6667)


@given(st.lists(st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=8), min_size=1, max_size=12))
@how(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_baskets_are_counted_as_one_would_by_hand(
    app: Any, buy: Make, configure: Make, baskets: list[list[str]]
) -> None:
    """Every pair that is frequent enough and bought together more often than by chance, and no other."""
    configure(RecommendationSettings, together_least=2, lift_least=110)
    with transaction():
        for order in db.session.scalars(db.select(Order)).all():
            db.session.delete(order)
    buy(baskets)
    mining.mine_now()
    sets = [set(basket) for basket in baskets]
    expected = {}
    for one, two in combinations("ABCDEF", 2):
        both = sum({one, two} <= basket for basket in sets)
        a, b = sum(one in basket for basket in sets), sum(two in basket for basket in sets)
        if both >= 2 and both * len(sets) * 100 >= 110 * a * b:
            expected[one, two] = (both, a, b, len(sets))
            expected[two, one] = (both, b, a, len(sets))
    rows = db.session.scalars(db.select(Pair)).all()
    assert {(row.sku_a, row.sku_b): (row.together, row.count_a, row.count_b, row.baskets) for row in rows} == expected


def test_what_is_left_out(buy: Make, configure: Make, anna: User, make_user: Make) -> None:
    """Returned orders, old ones, baskets of dealers; by customer instead of by order."""
    configure(RecommendationSettings, together_least=2, basket_most=3, basket_days=365)
    buy([("A", "B")] * 2, state="returned")
    buy([("A", "B", "C", "D")] * 3)
    buy([("X",)] * 4)
    count = mining.mine_now()
    assert (count.baskets, count.left_out, count.pairs) == (4, 3, 0)
    ben = make_user(name="Ben")
    buy([("P",), ("Q",)], anna)
    buy([("P",), ("Q",), ("Q",)], ben)
    buy([("R",)], make_user(name="Cid"))
    mining.mine_now()
    assert figures() == {}
    configure(RecommendationSettings, together_least=2, basket="customer")
    mining.mine_now()
    assert figures() == {("P", "Q"): (0.6667, 1.0, 1.5), ("Q", "P"): (0.6667, 1.0, 1.5)}


def test_a_job_counts_anew(buy: Make, configure: Make, run_jobs: Make) -> None:
    """The old figures go; a page of pairs has each once; the command says what it did."""
    configure(RecommendationSettings, together_least=2)
    buy([("A", "B")] * 3 + [("C", "D")] * 2 + [("E",)] * 9)
    with transaction():
        schedule(mining.MINE)
    run_jobs()
    db.session.expire_all()
    page = mining.pairs(most=1)
    assert [(pair.sku_a, pair.sku_b, pair.together) for pair in page] == [("A", "B", 3)]
    rest = mining.pairs(after=page[-1].id)
    assert [pair.sku_a for pair in rest] == ["C"] and not mining.pairs(after=rest[-1].id)
    assert [(one.sku_a, one.sku_b) for one in mining.pairs("B")] == [("B", "A")]
    count = mining.last_count()
    assert count is not None and (count.baskets, count.pairs) == (14, 2)
    commands = {one.command.name: one.command for one in register_commands()}
    assert "14 baskets; 2 pairs" in CliRunner().invoke(commands["mine"]).output
    assert "Looked at 0" in CliRunner().invoke(commands["match"]).output
    assert "No rule hurts." in CliRunner().invoke(commands["watch"]).output


def test_a_rule_suggests_it(
    buy: Make, configure: Make, product: Make, rule: Make, bought: Make, anna: User, solved: Ticket, run_jobs: Make
) -> None:
    """What others bought with what she has, with the reason in figures; the surer one comes first."""
    configure(RecommendationSettings, together_least=2)
    for sku, name in (("LAMP", "Lamp"), ("BELL", "Bell"), ("LOCK", "Lock")):
        product(sku, name)
    rule(None, name="Together", kind="together")
    buy([("LAMP", "BELL")] * 6 + [("LAMP", "LOCK")] * 2 + [("OTHER",)] * 20)
    mining.mine_now()
    bought(anna, "LAMP")
    run_jobs()
    found = advice(solved)
    assert [one.sku for one in found.suggestions] == ["BELL", "LOCK"]
    first = found.suggestions[0]
    # Anna's own order was not counted yet.
    assert first.reason == "75% of those who bought Lamp also bought Bell: together 6 times."
    assert dict(first.parts) == {"weight": 30, "confidence": 15, "lift": 9} and first.score == 54
    # It is prepared with what is known of her, and anew when it was counted anew.
    with transaction():
        assert [row[1] for row in profiles.known(anna, keep=True).together] == ["BELL", "LOCK"]
    buy([("LAMP", "LOCK")] * 9)
    assert [one.sku for one in advice(solved).suggestions] == ["BELL", "LOCK"]
    mining.mine_now()
    assert [one.sku for one in advice(solved).suggestions] == ["LOCK", "BELL"]


def test_the_strongest_rule_suggests_a_product(
    product: Make, rule: Make, bought: Make, anna: User, solved: Ticket, run_jobs: Make
) -> None:
    """Of rules that suggest the same one the strongest does, and a narrower one only what fits it."""
    basic = product("BASIC")
    beside = [{"kind": "goes_with", "sku": basic.sku}]
    bag, lamp = (product(sku, category=sku, relations=beside) for sku in ("BAG", "LAMP"))
    weak = rule(None, name="Weak", kind="catalogue", weight=1)
    usual = rule(None, name="Usual", kind="catalogue", weight=3)
    narrow = rule(None, ("category", ["bag"]), name="Narrow", kind="catalogue", weight=5)
    bought(anna, "BASIC")
    run_jobs()
    found = {one.sku: one.rule_id for one in advice(solved).suggestions}
    assert found == {bag.sku: narrow.id, lamp.sku: usual.id}
    rules.switch_rule(usual, False, None)
    assert {one.sku: one.rule_id for one in advice(solved).suggestions} == {bag.sku: narrow.id, lamp.sku: weak.id}
