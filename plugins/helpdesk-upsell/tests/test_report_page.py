"""The page that says whether recommendations help, and the list of what was suggested."""

from datetime import timedelta
from typing import Any

import pytest
from helpdesk_upsell.models import Rule, Suggestion, Trial

from helpdesk.api import db, now, transaction

PAGE = "/p/upsell/report"


@pytest.fixture
def tried(product: Any, rule: Any) -> Any:
    """A rule that was shown to some customers and held back from others, of whom so many bought."""

    def make(shown: tuple[int, int], held: tuple[int, int], **values: Any) -> Rule:
        made: Rule = rule(product("PLUS", "Plus plan"))
        groups = [(False, place < shown[1]) for place in range(shown[0])]
        groups += [(True, place < held[1]) for place in range(held[0])]
        began = now() - timedelta(days=40)
        with transaction():
            for is_held, is_bought in groups:
                bought: dict[str, Any] = {"bought_at": began, "revenue": 1_900, "currency": "EUR"} if is_bought else {}
                trial = Trial(key=f"rule:{made.id}", rule_id=made.id, sku="PLUS", held=is_held, began_at=began)
                for name, value in {**bought, **values}.items():
                    setattr(trial, name, value)
                db.session.add(trial)
        return made

    return make


def test_a_clear_effect_is_named_with_its_interval(as_supervisor: Any, tried: Any) -> None:
    """Both groups with their counts and shares, revenue by currency, and the sentence that says how it is measured."""
    made = tried((200, 60), (100, 10))
    page = as_supervisor.get(PAGE).text
    for text in ("It helps", "+20.0", "30%", "10%", "€1,140.00", "€190.00", "more for 100 customers",
                 "Suggest Plus plan to everybody.", "draws by lot",
                 "99 of 100", f"/p/upsell/rules/{made.id}"):  # fmt: skip
        assert text in page, text
    assert "Too few people" not in page


def test_few_people_and_no_difference_name_no_effect(as_supervisor: Any, tried: Any) -> None:
    tried((40, 2), (29, 0))
    page = as_supervisor.get(PAGE).text
    assert "Too few people so far" in page and "percentage points" not in page.partition("</details>")[2]


def test_no_difference_is_said(as_supervisor: Any, tried: Any) -> None:
    tried((100, 10), (100, 9))
    page = as_supervisor.get(PAGE).text
    assert "No difference can be seen yet" in page and "It helps" not in page


def test_a_rule_that_stopped_says_so_in_the_report(as_supervisor: Any, tried: Any) -> None:
    made = tried((40, 2), (40, 2))
    with transaction():
        made.stopped_at, made.stop_reason = now(), "reopened"
    page = as_supervisor.get(PAGE).text
    assert "those who saw it opened their tickets again more often" in page and "Stopped by itself" in page


def test_days_narrow_it_and_what_cannot_be_read_is_said(as_supervisor: Any, tried: Any) -> None:
    tried((200, 60), (100, 10))
    today = now().date()
    later = as_supervisor.get(f"{PAGE}?first={today}&last={today}").text
    assert "It helps" not in later and "Too few people so far" in later
    refused = as_supervisor.get(f"{PAGE}?first=soon")
    assert refused.status_code == 422 and "These days cannot be read" in refused.text and 'value="soon"' in refused.text


def test_the_report_asks_no_more_for_more_people(as_supervisor: Any, tried: Any, count_queries: Any) -> None:
    tried((40, 2), (40, 2))
    as_supervisor.get(PAGE)
    with count_queries() as statements:
        as_supervisor.get(PAGE)
    assert len([one for one in statements if "upsell_" in one]) <= 8, "\n".join(statements)


def test_a_suggestion_of_somebody_who_was_erased_stays_counted(as_admin: Any, product: Any, make_ticket: Any) -> None:
    """The list names nobody then; the page of it opens for those who look after rules."""
    ticket = make_ticket("A question")
    gone = Suggestion(
        ticket_id=ticket.id,
        key="rule:1",
        sku="PLUS",
        name="Plus plan",
        valid_until=now(),
        state="declined",
        why="price",
    )
    with transaction():
        db.session.add(gone)
    listed = as_admin.get("/p/upsell/?state=declined").text
    assert "Plus plan" in listed and "erased" in listed and "It costs too much" in listed
    assert as_admin.get(f"/p/upsell/suggestions/{gone.id}").status_code == 200
    assert "Nothing here" in as_admin.get("/p/upsell/?state=bought").text
