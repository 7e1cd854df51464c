"""The editor of rules, which reads like a sentence, and the list of what goes together."""

from html.parser import HTMLParser
from typing import Any

import pytest
from helpdesk_upsell import mining, rules
from helpdesk_upsell.models import Rule

from helpdesk.api import Team, Topic, User, db, now, transaction

ROOM = "/p/upsell"
NEW = f"{ROOM}/rules/new"


def only() -> Rule:
    db.session.rollback()
    return db.session.scalars(db.select(Rule)).one()


def test_a_sentence_is_put_together_without_a_script(as_supervisor: Any, product: Any) -> None:
    """A condition is added by a button, filled in, and the rule says in words what it does; then it is switched on."""
    product("BASIC", "Basic plan")
    product("PLUS", "Plus plan")
    form = {"kind": "product", "sku": "plus", "name": "Grow"}
    more = as_supervisor.post(NEW, data={**form, "add": "1", "new-what": "owns"})
    assert more.status_code == 200 and 'name="c-0-what" value="owns"' in more.text and 'value="Grow"' in more.text
    form |= {"c-0-what": "owns", "c-0-text": "basic, BASIC"}
    more = as_supervisor.post(NEW, data={**form, "add": "1", "new-what": "tag"})
    assert 'value="basic, BASIC"' in more.text and 'name="c-1-what" value="tag"' in more.text
    form |= {"c-1-what": "tag", "c-1-text": "limit，quota", "reason-en": "They have grown.", "pitch-es": "Más espacio."}
    made = as_supervisor.post(NEW, data=form)
    assert made.status_code == 303
    rule = only()
    assert rule.conditions == [{"what": "owns", "value": ["BASIC"]}, {"what": "tag", "value": ["limit", "quota"]}]
    assert rule.reasons == {"en": "They have grown."} and rule.pitches == {"es": "Más espacio."} and not rule.active
    sentence = "Suggest Plus plan when the customer owns Basic plan and the ticket has the tag limit or quota."
    assert sentence in as_supervisor.get(made.location).text
    listed = as_supervisor.get(f"{ROOM}/rules").text
    assert sentence in listed and 'aria-checked="false"' in listed
    as_supervisor.post(f"{ROOM}/rules/{rule.id}/on")
    assert only().active and 'aria-checked="true"' in as_supervisor.get(f"{ROOM}/rules").text
    as_supervisor.post(f"{ROOM}/rules/{rule.id}/off")
    assert not only().active


def test_each_kind_of_condition_is_shown_as_it_was_saved(
    as_supervisor: Any, product: Any, make_team: Any, app: Any
) -> None:
    """Whatever the vocabulary has: what the form shows is what it sends, and saving it unchanged changes nothing."""
    product("A")
    team: Team = make_team("Workshop")
    topic = Topic(name="Brakes")
    with transaction():
        db.session.add(topic)
    values = {
        "owns": ["A"], "owns_not": ["A"], "language": ["es"], "orders_least": 3,
        "spent_least": {"amount": 12_050, "currency": "EUR"}, "ordered_within": 30, "quiet_for": 90,
        "owned_for": {"skus": ["A"], "days": 365}, "ends_within": {"skus": ["A"], "days": 14},
        "product_kind": ["addon", "plan"], "category": ["racks"], "on_promotion": True,
        "costs_most": {"amount": 1_300, "currency": "JPY"}, "topic": [topic.id], "team": [team.id], "tag": ["x", "y"],
        "tag_not": ["z"], "channel": ["email"], "words": ["upgrade"],
    }  # fmt: skip
    given = [{"what": what, "value": value} for what, value in values.items()]
    rule = rules.save_rule(None, {"name": "All", "kind": "together", "conditions": given}, None)
    address = f"{ROOM}/rules/{rule.id}"
    page = as_supervisor.get(address)
    form = _form_of(page.text)
    for name in ("Workshop", "Brakes", "Spanish", "120.50", "1300"):
        assert name in page.text, name
    assert as_supervisor.post(address, data=form).status_code == 303
    assert only().conditions == given


class _Fields(HTMLParser):
    """What a browser would send of the large form."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}
        self._inside, self._select, self._area = False, "", ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self._inside = "up-ruleform" in (given.get("class") or "")
        if not self._inside or name.endswith("-gone"):
            return
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.found[self._select] = value
        elif tag == "textarea":
            self._area = name
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.found.setdefault(name, []).append(value)
        elif tag == "input":
            self.found[name] = value

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[self._area] = data
            self._area = ""


def _form_of(html: str) -> dict[str, Any]:
    reader = _Fields()
    reader.feed(html)
    return reader.found


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"sku": ""}, "Fill this in."),
        ({"sku": "NOTHING"}, "The catalogue has no product with this SKU."),
        ({"name": ""}, "Fill this in."),
        ({"holdout": "51"}, "Enter a number from 0 to 50."),
        ({"c-0-what": "owns", "c-0-text": ""}, "Choose something."),
        ({"c-0-what": "owns", "c-0-text": "MISSPELT"}, "There is no product with the SKU MISSPELT."),
        ({"c-0-what": "quiet_for", "c-0-text": "many"}, "Give a whole number from 1 to"),
        ({"c-0-what": "spent_least", "c-0-amount": "-1", "c-0-currency": "EUR"}, "An amount cannot be below zero."),
        ({"c-0-what": "spent_least", "c-0-amount": "1", "c-0-currency": "E"}, "Write the three letters of a currency"),
        ({"c-0-what": "team"}, "Choose something."),
        ({"reason-en": "x" * 501}, "This is too long"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_beside_it(
    as_supervisor: Any, product: Any, typed: dict[str, str], sentence: str
) -> None:
    product("PLUS")
    form = {"kind": "product", "sku": "PLUS", "name": "Grow", "pitch-en": "Kept & typed", **typed}
    refused = as_supervisor.post(NEW, data=form)
    assert refused.status_code == 422 and sentence in refused.text and "Kept &amp; typed" in refused.text
    assert db.session.scalar(db.select(Rule.id)) is None


def test_a_condition_is_taken_out_and_the_product_stays(as_supervisor: Any, product: Any, rule: Any) -> None:
    made = rule(product("PLUS"), ("owns_not", ["PLUS"]), ("tag", ["x"]))
    form = {"name": "Other", "weight": "5", "holdout": "20", "c-0-what": "owns_not", "c-0-text": "PLUS",
            "c-0-gone": "1", "c-1-what": "tag", "c-1-text": "x", "sku": "OTHER", "kind": "together"}  # fmt: skip
    assert as_supervisor.post(f"{ROOM}/rules/{made.id}", data=form).status_code == 303
    changed = only()
    assert changed.conditions == [{"what": "tag", "value": ["x"]}] and (changed.weight, changed.holdout) == (5, 20)
    assert (changed.kind, changed.product_id, changed.name) == ("product", made.product_id, "Other")


def test_a_rule_is_deleted_after_a_question(as_supervisor: Any, product: Any, rule: Any) -> None:
    made = rule(product("PLUS"))
    address = f"{ROOM}/rules/{made.id}/delete"
    assert "Its figures go with it." in as_supervisor.get(address).text and only()
    assert as_supervisor.post(address).status_code == 303
    assert db.session.scalar(db.select(Rule.id)) is None and as_supervisor.get(address).status_code == 404


def test_a_stopped_rule_says_why_and_begins_again_by_hand(as_supervisor: Any, product: Any, rule: Any) -> None:
    made = rule(product("PLUS"))
    with transaction():
        made.stopped_at, made.stop_reason = now(), "satisfaction"
    page = as_supervisor.get(f"{ROOM}/rules/{made.id}").text
    assert "those who saw it were less satisfied" in page and "Switch on" in page
    assert "Stopped by itself" in as_supervisor.get(f"{ROOM}/rules").text
    as_supervisor.post(f"{ROOM}/rules/{made.id}/on")
    assert only().stopped_at is None


# ---- what goes together


def test_what_goes_together_becomes_a_rule(
    as_supervisor: Any, product: Any, bought: Any, make_user: Any, run_jobs: Any
) -> None:
    """Support, confidence and lift stand with their counts, the surer direction at first; one click begins a rule."""
    product("BIKE", "Bicycle")
    product("LOCK", "Lock")
    assert "Nothing goes together yet" in as_supervisor.get(f"{ROOM}/together").text
    people: list[User] = [make_user() for _number in range(20)]
    for place, person in enumerate(people):
        bought(person, *(("BIKE", "LOCK") if place < 8 else ("BIKE",) if place < 10 else ("OTHER",)))
    assert as_supervisor.post(f"{ROOM}/together").status_code == 303
    run_jobs()
    page = as_supervisor.get(f"{ROOM}/together").text
    # 8 of 20 have both; all 8 with a lock have a bicycle; 10 of 20 have one, so that is twice as often.
    for figure in ("20 baskets", "40%", "100%", "2.00", "in 8 baskets", "in 10 baskets"):
        assert figure in page, figure
    assert page.index("Lock") < page.index("Bicycle")
    of_bike = as_supervisor.get(f"{ROOM}/together?sku=bike").text
    assert "80%" in of_bike and "/rules/new?sku=LOCK&amp;owns=BIKE" in of_bike
    form = as_supervisor.get(f"{ROOM}/rules/new?sku=LOCK&owns=BIKE").text
    assert 'value="Lock with Bicycle"' in form and 'name="c-0-text" value="BIKE"' in form
    assert "Nothing found" in as_supervisor.get(f"{ROOM}/together?sku=LAMP").text
    assert mining.last_count() is not None
