"""Make rules, switch them, and say what they do in one sentence."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, User, audit, db, drop_cached, require, transaction
from helpdesk.api import gettext as _
from helpdesk_upsell import cleaning, conditions
from helpdesk_upsell.conditions import Names
from helpdesk_upsell.models import CATALOGUE, ONE, RULE_KINDS, TOGETHER, Product, Rule
from helpdesk_upsell.permissions import MANAGE

REASON_LENGTH, PITCH_LENGTH = 500, 1_000


def save_rule(rule: Rule | None, values: Mapping[str, Any], actor: User | None) -> Rule:
    """Make a rule, or change what is given of one: ``name``, ``kind``, ``product`` (a :class:`Product`, for the kind
    "product") or ``product_id``, ``conditions``, ``weight``, ``holdout``, ``reasons`` and ``pitches`` by language.

    One transaction, joined or opened. What it suggests to whom is another thing after another product: its customers
    are then drawn anew under another rule, so that must be a new one. Raises :class:`Invalid` naming the field, and
    :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        is_new = rule is None
        if rule is None:
            rule = Rule(draw=secrets.token_hex(8), conditions=[], reasons={}, pitches={})
            values = {"name": "", "kind": ONE, **values}
        else:
            db.session.refresh(rule, with_for_update={"of": type(rule)})
        with db.session.no_autoflush:
            _put(rule, values, is_new)
        db.session.add(rule)
        db.session.flush()
        audit("upsell.rule_saved", actor, rule.name, {"rule": rule.id, "new": is_new})
    return rule


def switch_rule(rule: Rule, on: bool, actor: User | None) -> Rule:
    """Suggest from now on, or no more. A rule that was stopped begins again; its figures go on.

    Raises :class:`NotAllowed`.
    """
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        db.session.refresh(rule, with_for_update={"of": type(rule)})
        if rule.active != on or (on and rule.stopped_at is not None):
            rule.active = on
            if on:
                rule.stopped_at, rule.stop_reason = None, ""
            audit("upsell.rule_switched", actor, rule.name, {"rule": rule.id, "on": on})
    return rule


def delete_rule(rule: Rule, actor: User | None) -> None:
    """Take a rule away; what it has suggested stays and is counted no more. Raises :class:`NotAllowed`."""
    require(actor, MANAGE)
    with transaction():
        drop_cached()
        audit("upsell.rule_deleted", actor, rule.name, {"rule": rule.id})
        db.session.delete(rule)


def find_rule(number: int) -> Rule | None:
    """One of them."""
    return db.session.scalar(select(Rule).where(Rule.id == number).options(joinedload(Rule.product)))


def rules(after: int | None = None, most: int = 50) -> Sequence[Rule]:
    """All rules, the oldest first, from behind the one with that number on."""
    query = select(Rule).options(joinedload(Rule.product)).order_by(Rule.id).limit(most)
    if after is not None:
        query = query.where(Rule.id > after)
    return db.session.scalars(query).all()


def stopped_count() -> int:
    """How many rules were stopped by themselves, and wait for somebody to look at them."""
    return db.session.scalar(select(func.count()).where(Rule.active, Rule.stopped_at.is_not(None))) or 0


def sentence(rule: Rule, names: Names | None = None) -> str:
    """What it does, in the reader's language: “Suggest Plus plan when the customer owns Basic plan.”

    For a list give the same ``names`` to all: they ask the database once.
    """
    names = names or Names()
    given = [conditions.words(one, names) for one in rule.conditions or ()]
    what = _what(rule, names)
    if not given:
        return _("Suggest %(what)s to everybody.", what=what)
    return _("Suggest %(what)s when %(conditions)s.", what=what, conditions=conditions.both(given))


def _what(rule: Rule, names: Names) -> str:
    if rule.kind == TOGETHER:
        return _("what others bought together with what the customer owns")
    if rule.kind == CATALOGUE:
        return _("what replaces, or goes with, what the customer owns")
    return names.products.name(rule.product.sku, names.locale) if rule.product is not None else "–"


def _put(rule: Rule, values: Mapping[str, Any], is_new: bool) -> None:
    if "name" in values:
        rule.name = cleaning.line(values, "name", 100, _("Give the rule a name."))
        taken = db.session.scalar(select(Rule.id).where(Rule.name == rule.name))
        if taken is not None and taken != rule.id:
            raise Invalid("name", _("There is a rule with this name already."))
    _put_product(rule, values, is_new)
    if "conditions" in values:
        rule.conditions = conditions.clean(values["conditions"])
    if "weight" in values:
        rule.weight = cleaning.number(values["weight"], "weight", 1, 5)
    if "holdout" in values:
        given = values["holdout"]
        rule.holdout = None if given in (None, "") else cleaning.number(given, "holdout", 0, 50)
    if "reasons" in values:
        rule.reasons = cleaning.texts(values["reasons"], "reasons", REASON_LENGTH)
    if "pitches" in values:
        rule.pitches = cleaning.texts(values["pitches"], "pitches", PITCH_LENGTH)


def _put_product(rule: Rule, values: Mapping[str, Any], is_new: bool) -> None:
    kind = cleaning.one_of(values["kind"], "kind", RULE_KINDS) if "kind" in values else rule.kind
    number = rule.product_id
    if "product" in values or "product_id" in values:
        given: Product | None = values.get("product")
        number = given.id if given is not None else values.get("product_id")
    if kind != ONE:
        number = None
    elif number is None or db.session.get(Product, number) is None:
        raise Invalid("product", _("Choose the product that is suggested."))
    if not is_new and (kind != rule.kind or number != rule.product_id):
        raise Invalid(
            "product", _("What a rule suggests stays, since its effect is measured. Make a new rule for this.")
        )
    rule.kind, rule.product_id = kind, number
