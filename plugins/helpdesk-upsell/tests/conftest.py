"""What most tests begin with: a catalogue, a rule, a customer who agreed to offers and whose ticket is solved."""

from collections.abc import Callable
from typing import Any

import pytest
from helpdesk_customers.api import LineData, Order, OrderData, note_consent, save_order
from helpdesk_upsell import catalogue, rules
from helpdesk_upsell.models import Product, Rule

from helpdesk.api import MessageDraft, Ticket, User, reply, solve


@pytest.fixture
def agent(make_user: Any) -> User:
    return make_user("agent", name="Abe Agent")


@pytest.fixture
def boss(make_user: Any) -> User:
    return make_user("admin", name="Bea Boss")


@pytest.fixture
def anna(make_user: Any) -> User:
    """A customer who would like offers."""
    anna = make_user(name="Anna Berg", email="anna@customer.example")
    note_consent(anna, "offers", True, None, way="form", words="Yes, tell me of new things.")
    return anna


@pytest.fixture
def ticket(make_ticket: Any, anna: User, agent: User) -> Ticket:
    """Answered, and not solved yet."""
    ticket = make_ticket("Where is my order?", requester=anna, assignee=agent)
    reply(ticket, MessageDraft(text="It is on its way."), agent)
    return ticket


@pytest.fixture
def solved(ticket: Ticket, agent: User) -> Ticket:
    """Her ticket, solved."""
    solve(ticket, agent)
    return ticket


@pytest.fixture
def product(app: Any) -> Callable[..., Product]:
    """Something that is offered, for ten euros unless something else is said."""

    def make(sku: str, name: str = "", amount: int | None = 1_000, **values: Any) -> Product:
        prices = [] if amount is None else [{"currency": "EUR", "period": "once", "amount": amount}]
        texts = {"en": {"name": name or sku.title(), "pitch": ""}}
        return catalogue.save_product(None, {"sku": sku, "texts": texts, "prices": prices, **values}, None)

    return make


@pytest.fixture
def rule(app: Any) -> Callable[..., Rule]:
    """A rule that is on and holds nobody back, unless something else is said."""

    def make(what: Product | None, *conditions: tuple[str, Any], on: bool = True, **values: Any) -> Rule:
        usual: dict[str, Any] = {"holdout": 0}
        if what is not None:
            usual |= {"name": f"Suggest {what.sku}", "product": what}
        given = [{"what": what, "value": value} for what, value in conditions]
        return rules.switch_rule(rules.save_rule(None, {**usual, "conditions": given, **values}, None), on, None)

    return make


@pytest.fixture
def bought(app: Any) -> Callable[..., Order]:
    """An order of some SKUs, each for ten euros."""

    def make(person: User, *skus: str, number: str = "", **values: Any) -> Order:
        lines = [LineData(sku, sku.title(), 1, 1_000) for sku in skus]
        name = number or f"{person.id}-{'-'.join(skus)}"
        return save_order(OrderData(name, "EUR", lines, user_id=person.id, **values))[0]

    return make
