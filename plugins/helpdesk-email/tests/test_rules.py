"""Rules of the owner: what they fit, what becomes of the mail, their room, and blocking from a ticket."""

import re
from typing import Any

import pytest
from helpdesk_email import personal, rules
from helpdesk_email.models import Rule
from sqlalchemy import func, select

from helpdesk.api import IntakeDraft, Ticket, db, receive, transaction


def add(**values: Any) -> Rule:
    with transaction():
        rule = Rule(**values)
        db.session.add(rule)
        rules.changed()
    return rule


def mail(sender: str = "anna@customer.example", subject: str = "Hello", text: str = "Hi", headers: str = "") -> bytes:
    return f"From: {sender}\nTo: help@desk.example\nSubject: {subject}\n{headers}\n{text}\n".encode()


def draft(**values: Any) -> IntakeDraft:
    return IntakeDraft("email", **{"sender_address": "Anna@Shop.Example", **values})


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"pattern": "anna@shop.example"}, True),
        ({"pattern": "ANNA@shop.example"}, True),
        ({"pattern": "anna@shop"}, False),
        ({"pattern": "@shop.example"}, True),
        ({"pattern": "@example"}, False),
        ({"pattern": ".example", "how": "ends"}, True),
        ({"pattern": "anna@", "how": "begins"}, True),
        ({"pattern": "shop", "how": "contains"}, True),
        ({"part": "subject", "pattern": "cheap pills"}, True),
        ({"part": "subject", "pattern": "pills"}, False),
        ({"part": "subject", "pattern": "PILLS", "how": "ends"}, True),
        ({"part": "text", "pattern": "straße", "how": "contains"}, True),
        ({"part": "text", "pattern": "quoted", "how": "contains"}, True),
        ({"part": "text", "pattern": ".*", "how": "contains"}, False),
        ({"part": "header", "header": "x-mailer", "pattern": "bulk", "how": "begins"}, True),
        ({"part": "header", "header": "x-other", "pattern": "bulk", "how": "begins"}, False),
        ({"part": "header", "header": "x-mailer", "pattern": "", "how": "contains"}, False),
        ({"pattern": "anna@shop.example", "active": False}, False),
    ],
)
def test_a_rule_fits_what_it_says(app: Any, rule: dict[str, Any], fits: bool) -> None:
    add(**rule)
    intake = draft(
        subject="Cheap\n  PILLS",
        text="In der STRASSE",
        quoted="> quoted",
        headers={"x-mailer": ["Good 1", "Bulk 2"]},
    )
    assert (rules.matching(intake) is not None) is fits


def test_the_first_rule_counts_and_changes_are_seen(app: Any) -> None:
    first = add(part="subject", pattern="pills", how="contains", act="hold")
    add(pattern="@shop.example")
    found = rules.matching(draft(subject="Pills"))
    assert found is not None and (found.id, found.act) == (first.id, "hold")
    with transaction():
        first.active = False
        rules.changed()
    found = rules.matching(draft(subject="Pills"))
    assert found is not None and found.pattern == "@shop.example"


def test_thousands_of_rules_cost_no_query_for_each_mail(app: Any, count_queries: Any) -> None:
    with transaction():
        db.session.add_all(Rule(pattern=f"spam{number}@elsewhere.example") for number in range(5_000))
        rules.changed()
    assert rules.matching(draft()) is None
    with count_queries() as statements:
        for _again in range(20):
            assert rules.matching(draft(sender_address="spam4999@elsewhere.example")) is not None
            assert rules.matching(draft()) is None
    assert len(statements) <= 2, statements


def test_many_rules_for_texts_find_the_same(app: Any) -> None:
    with transaction():
        patterns = [*(f"offer number {number}!" for number in range(300)), "xyz", "ends here"]
        db.session.add_all(Rule(part="text", how="contains", pattern=pattern) for pattern in patterns)
        db.session.add(Rule(part="text", how="ends", pattern="the very end", act="hold"))
        rules.changed()
    for text, pattern in (
        ("Our OFFER\nnumber 217! is good", "offer number 217!"),
        ("an xyzzy", "xyz"),
        ("it ends here", "ends here"),
        ("at the very end", "the very end"),
        ("", None),
        ("offer number 301!", None),
    ):
        found = rules.matching(draft(text=text))
        assert (found.pattern if found else None) == pattern, text


@pytest.mark.db
def test_mail_that_fits_is_ignored_or_held_and_counted(app: Any) -> None:
    ignoring = add(pattern="spam@elsewhere.example")
    holding = add(part="subject", how="contains", pattern="lottery", act="hold")
    ignored = receive("email", mail("spam@elsewhere.example"))
    assert (ignored.outcome, ignored.reason) == ("ignored", "by the rule “sender is spam@elsewhere.example”")
    held = receive("email", mail(subject="You won the Lottery"))
    assert (held.outcome, held.reason) == ("quarantined", "by the rule “subject contains lottery”")
    assert receive("email", mail()).outcome == "ticket"
    db.session.refresh(ignoring)
    db.session.refresh(holding)
    assert (ignoring.hits, holding.hits) == (1, 1) and ignoring.hit_at is not None


# ---- the room

GOOD = {"part": "sender", "how": "is", "pattern": "@Spam.example", "act": "ignore"}


def test_a_rule_is_made_changed_switched_and_deleted(as_admin: Any) -> None:
    assert "There is no rule yet" in as_admin.get("/p/email/rules").text
    assert as_admin.post("/p/email/rules/new", data=GOOD).status_code == 303
    rule = db.session.scalars(select(Rule)).one()
    assert (rule.pattern, rule.active) == ("@spam.example", True)
    page = as_admin.get("/p/email/rules").text
    assert "sender is @spam.example" in page and "Switch off" in page
    as_admin.post(f"/p/email/rules/{rule.id}/off")
    db.session.refresh(rule)
    assert not rule.active
    change = {"part": "header", "header": "X-Mailer:", "how": "contains", "pattern": "Bulk", "act": "hold"}
    assert as_admin.post(f"/p/email/rules/{rule.id}", data={**change, "active": "1"}).status_code == 303
    db.session.refresh(rule)
    assert (rule.part, rule.header, rule.how, rule.pattern, rule.act, rule.active) == (
        "header", "x-mailer", "contains", "Bulk", "hold", True,
    )  # fmt: skip
    assert "x-mailer contains Bulk" in as_admin.get(f"/p/email/rules/{rule.id}/delete").text
    assert as_admin.post(f"/p/email/rules/{rule.id}/delete").status_code == 303
    assert db.session.scalar(select(func.count(Rule.id))) == 0
    record = as_admin.get("/admin/audit").text
    assert all(f"email.rule_{act}" in record for act in ("added", "changed", "deleted"))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"pattern": " "}, "pattern"),
        ({"pattern": "no address"}, "pattern"),
        ({"pattern": "x" * 256}, "pattern"),
        ({"pattern": "a@b\x00"}, "pattern"),
        ({"part": "blood"}, "part"),
        ({"how": "regex"}, "how"),
        ({"act": "delete"}, "act"),
        ({"part": "header", "header": ""}, "header"),
        ({"part": "header", "header": "two words"}, "header"),
    ],
)
def test_bad_input_stands_beside_its_field(as_admin: Any, bad: dict[str, str], field: str) -> None:
    answer = as_admin.post("/p/email/rules/new", data={**GOOD, "header": "kept-header", **bad})
    assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    assert db.session.scalar(select(func.count(Rule.id))) == 0


def test_the_list_is_paged_found_and_escaped(as_admin: Any, count_queries: Any) -> None:
    with transaction():
        for number in range(60):
            rules.add(Rule(pattern=f"spam{number}@x.example"))
        rules.add(Rule(part="subject", how="contains", pattern="<script>alert(1)</script>"))
    with count_queries() as statements:
        page = as_admin.get("/p/email/rules").text
    assert len(statements) <= 8, statements
    assert "spam0@" in page and "spam59@" not in page
    behind = re.search(r'href="(/p/email/rules\?after=[0-9]+)"', page)
    assert behind is not None
    page = as_admin.get(behind[1]).text
    assert "spam59@x.example" in page and "&lt;script&gt;alert" in page and "<script>alert" not in page
    found = as_admin.get("/p/email/rules?text=spam42@").text
    assert "spam42@x.example" in found and "spam41@x.example" not in found
    assert "Nothing found" in as_admin.get("/p/email/rules?text=%25_%5C&after=zz").text


@pytest.mark.db
def test_rules_change_places(as_admin: Any) -> None:
    for pattern, act in (("pills", "hold"), ("cheap", "ignore"), ("casino", "ignore")):
        data = {"part": "subject", "how": "contains", "act": act, "pattern": pattern}
        assert as_admin.post("/p/email/rules/new", data=data).status_code == 303

    def order() -> list[str]:
        page = as_admin.get("/p/email/rules").text
        return re.findall(r"<bdi>subject contains (\w+)</bdi>", page)

    def fits() -> str:
        found = rules.matching(draft(subject="Cheap pills"))
        assert found is not None
        return found.pattern

    assert order() == ["pills", "cheap", "casino"] and fits() == "pills"
    cheap = db.session.scalars(select(Rule.id).where(Rule.pattern == "cheap")).one()
    for way, expected, first in (
        ("up", ["cheap", "pills", "casino"], "cheap"),
        ("up", ["cheap", "pills", "casino"], "cheap"),
        ("down", ["pills", "cheap", "casino"], "pills"),
        ("down", ["pills", "casino", "cheap"], "pills"),
        ("down", ["pills", "casino", "cheap"], "pills"),
    ):
        assert as_admin.post(f"/p/email/rules/{cheap}/{way}").status_code == 303
        assert order() == expected and fits() == first
    # Part of the list has no order of its own.
    assert f"/rules/{cheap}/up" not in as_admin.get("/p/email/rules?text=c").text
    assert as_admin.post(f"/p/email/rules/{10**12}/up").status_code == 404


# ---- blocking


@pytest.mark.db
def test_an_agent_blocks_a_sender(as_agent: Any, place: Any) -> None:
    ticket_id = receive("email", mail("Spammer <spam@elsewhere.example>")).ticket_id
    ticket = db.session.get_one(Ticket, ticket_id)
    (action,) = place("ticket_actions", ticket, as_agent.user)
    assert "spam@elsewhere.example" in action.question and action.posts
    assert as_agent.post(action.url).status_code == 303
    db.session.refresh(ticket)
    assert ticket.is_closed and [tag.name for tag in ticket.tags] == ["spam"]
    assert receive("email", mail("SPAM@elsewhere.example", subject="Again")).outcome == "ignored"
    # Once more changes nothing.
    assert as_agent.post(action.url).status_code == 303
    assert db.session.scalar(select(func.count(Rule.id))) == 1


def test_nobody_blocks_what_they_do_not_see_nor_colleagues(
    as_requester: Any, as_agent: Any, client: Any, make_ticket: Any, make_user: Any, make_team: Any, place: Any
) -> None:
    hidden = make_ticket(channel="email", team=make_team("Quiet", private=True))
    own = make_ticket(channel="email", requester=make_user("agent"))
    by_form = make_ticket()
    for number in (hidden.id, own.id, 99_999, 10**30):
        assert as_agent.post(f"/p/email/tickets/{number}/block").status_code == 404
    assert as_requester.post(f"/p/email/tickets/{own.id}/block").status_code == 403
    assert client.post(f"/p/email/tickets/{own.id}/block").status_code == 303
    assert place("ticket_actions", own, as_agent.user) == place("ticket_actions", by_form, as_agent.user) == []
    assert db.session.scalar(select(func.count(Rule.id))) == 0


# ---- personal data


@pytest.mark.db
def test_rules_about_a_person_are_handed_out_and_go_with_the_person(app: Any, make_user: Any) -> None:
    """By export_personal_data and erase_personal_data."""
    person = make_user(email="spam@elsewhere.example")
    add(pattern="spam@elsewhere.example")
    add(pattern="@elsewhere.example", act="hold")
    assert personal.export_personal_data(person) == {"rules": ["sender is spam@elsewhere.example"]}
    assert rules.matching(draft(sender_address="spam@elsewhere.example")) is not None
    with transaction():
        personal.erase_personal_data(person)
    assert list(db.session.scalars(select(Rule.pattern))) == ["@elsewhere.example"]
    with transaction():
        person.email = None
        personal.erase_personal_data(person)
    assert personal.export_personal_data(person) == {}
