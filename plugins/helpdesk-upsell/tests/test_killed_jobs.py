"""What becomes of the jobs of the night that break in the middle: they go on, and nothing is lost or counted twice."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_customers.api import note_consent
from helpdesk_upsell import buying, guarding, mining, suggestions
from helpdesk_upsell.models import BOUGHT, SHOWN, Pair, Suggestion, Trial
from helpdesk_upsell.settings import RecommendationSettings

from helpdesk.api import Ticket, User, db, hookimpl, now, schedule, solve, transaction

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def noon(app: Any, travel: Make, run_jobs: Make) -> None:
    """No job of the night is due while these are tried, whenever the tests run."""
    travel(to=(now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0))
    run_jobs()


@pytest.fixture
def shown(product: Make, rule: Make, make_user: Make, make_ticket: Make, agent: User) -> Sequence[User]:
    """Three customers to whom something was shown, each on a ticket of her own."""
    rule(product("PLUS"))
    people = [make_user(name=f"Person {number}") for number in range(3)]
    for person in people:
        note_consent(person, "offers", True, None, way="form", words="Yes")
        ticket: Ticket = make_ticket("A question", requester=person)
        solve(ticket, agent)
        assert len(suggestions.show(ticket, agent).rows) == 1
    return people


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Have a function break once, at the turn that is named; what it was given each time."""

    def make(module: Any, name: str, turn: int) -> list[Any]:
        real, given = getattr(module, name), []

        def broken(*args: Any) -> Any:
            given.append(args)
            found = real(*args)
            if len(given) == turn:
                raise RuntimeError("killed")
            return found

        monkeypatch.setattr(module, name, broken)
        return given

    return make


def states() -> list[tuple[str, bool]]:
    db.session.expire_all()
    rows = db.session.scalars(db.select(Suggestion).order_by(Suggestion.id))
    return [(row.state, row.revenue == 1_000) for row in rows]


def bought_trials() -> list[bool]:
    db.session.expire_all()
    return [row.revenue == 1_000 for row in db.session.scalars(db.select(Trial).order_by(Trial.id))]


def begin(job: str) -> None:
    with transaction():
        schedule(job)


@pytest.mark.parametrize("name", ["_match_trials", "_match_suggestions"])
def test_purchases_are_found_from_where_it_was(
    shown: Sequence[User], bought: Make, breaks: Make, run_jobs: Make, travel: Make, monkeypatch: Any, name: str
) -> None:
    """The step that broke has written nothing; the ones before it are not done again."""
    for person in shown:
        bought(person, "PLUS")
    run_jobs()
    with transaction():
        # As if nobody had told of the orders.
        db.session.execute(db.update(Trial).values(bought_at=None, revenue=None, currency=""))
        db.session.execute(db.update(Suggestion).values(state=SHOWN, bought_at=None, revenue=None))
    monkeypatch.setattr(buying, "_BATCH", 1)
    given = breaks(buying, name, 2)
    begin(buying.MATCH)
    run_jobs()
    done = bought_trials() if name == "_match_trials" else [state == BOUGHT for state, _paid in states()]
    assert done == [True, False, False]
    travel(minutes=10)
    run_jobs()
    assert bought_trials() == [True] * 3 and states() == [(BOUGHT, True)] * 3
    assert len(given) == 4


def test_satisfaction_is_looked_at_from_where_it_was(
    shown: Sequence[User], breaks: Make, plug: Make, run_jobs: Make, travel: Make, monkeypatch: Any
) -> None:
    """Each trial once, and the rules are judged when all were looked at."""

    @hookimpl(optionalhook=True)
    def upsell_satisfaction(ticket_ids: Sequence[int]) -> list[tuple[int, float]]:
        return [(number, 0.5) for number in ticket_ids]

    plug("voices", upsell_satisfaction=upsell_satisfaction)
    monkeypatch.setattr(guarding, "_BATCH", 1)
    given, judged = breaks(guarding, "_write", 2), breaks(guarding, "stop_harmful", 0)
    begin(guarding.WATCH)
    run_jobs()

    def scores() -> list[float | None]:
        db.session.expire_all()
        return list(db.session.scalars(db.select(Trial.satisfaction).order_by(Trial.id)))

    assert scores() == [0.5, None, None] and judged == []
    travel(minutes=10)
    run_jobs()
    assert scores() == [0.5] * 3 and len(given) == 4 and len(judged) == 1


def test_old_pairs_stand_until_new_ones_are_whole(
    bought: Make, make_user: Make, breaks: Make, configure: Make, run_jobs: Make, travel: Make
) -> None:
    """And the tables that are counted in are gone: the next turn makes them anew."""
    configure(RecommendationSettings, together_least=2)
    for number in range(3):
        bought(make_user(name=f"Person {number}"), "A", "B")
    bought(make_user(name="Other"), "C")
    mining.mine_now()
    for number in range(2):
        bought(make_user(name=f"Another {number}"), "C", "D")

    def pairs() -> list[str]:
        db.session.expire_all()
        return list(db.session.scalars(db.select(Pair.sku_a).where(Pair.sku_a < Pair.sku_b).order_by(Pair.sku_a)))

    breaks(mining, "_fill", 1)
    breaks(mining, "_keep", 1)
    begin(mining.MINE)
    for expected in (["A"], ["A"], ["A", "C"]):
        run_jobs()
        assert pairs() == expected
        travel(minutes=30)
