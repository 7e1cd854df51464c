"""Rules of the owner: what they fit, what becomes of the mail, their room, and blocking from a ticket."""

import re
from typing import Any

import pytest
from helpdesk_email import personal, rules
from helpdesk_email.models import Rule
from sqlalchemy import func, select

from helpdesk.api import IntakeDraft, Ticket, TicketType, Topic, db, receive, transaction


def add(**values: Any) -> Rule:
    with transaction():
        rule = Rule(**values)
        db.session.add(rule)
        rules.changed()
    return rule


def mail(sender: str = "anna@customer.example", subject: str = "Hello", text: str = "Hi", headers: str = "") -> bytes:
    return f"From: {sender}\nTo: help@desk.example\nSubject: {subject}\n{headers}\n{text}\n".encode()


def first_fit(intake: IntakeDraft) -> rules.Known | None:
    return next(iter(rules.fitting(intake)), None)


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
    assert (first_fit(intake) is not None) is fits


def test_the_first_rule_counts_and_changes_are_seen(app: Any) -> None:
    first = add(part="subject", pattern="pills", how="contains", act="hold")
    add(pattern="@shop.example")
    found = first_fit(draft(subject="Pills"))
    assert found is not None and (found.id, found.act) == (first.id, "hold")
    with transaction():
        first.active = False
        rules.changed()
    found = first_fit(draft(subject="Pills"))
    assert found is not None and found.pattern == "@shop.example"


def test_thousands_of_rules_cost_no_query_for_each_mail(app: Any, count_queries: Any) -> None:
    with transaction():
        db.session.add_all(Rule(pattern=f"spam{number}@elsewhere.example") for number in range(5_000))
        rules.changed()
    assert first_fit(draft()) is None
    with count_queries() as statements:
        for _again in range(20):
            assert first_fit(draft(sender_address="spam4999@elsewhere.example")) is not None
            assert first_fit(draft()) is None
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
        found = first_fit(draft(text=text))
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


# ---- sorting


def sorting(client: Any, **says: Any) -> None:
    data = {"part": "subject", "how": "contains", "act": "sort", "pattern": "invoice", **says}
    assert client.post("/p/email/rules/new", data=data).status_code == 303


def opened(subject: str = "My invoice", **says: Any) -> Ticket:
    outcome = receive("email", mail(subject=subject, **says))
    assert outcome.outcome == "ticket", outcome.reason
    return db.session.get_one(Ticket, outcome.ticket_id)


@pytest.fixture
def billing(as_admin: Any) -> Topic:
    assert as_admin.post("/admin/topics", data={"name": "Billing", "parent": ""}).status_code == 303
    return db.session.scalars(select(Topic).where(Topic.name == "Billing")).one()


@pytest.fixture
def request_type(as_admin: Any) -> TicketType:
    assert as_admin.post("/admin/types", data={"name": "Request"}).status_code == 303
    return db.session.scalars(select(TicketType).where(TicketType.name == "Request")).one()


@pytest.mark.db
def test_rules_sort_the_ticket_that_a_mail_opens(as_admin: Any, billing: Topic, request_type: TicketType) -> None:
    sorting(as_admin, priority="high", topic_id=billing.id, tags=" Money， #vip, money ")
    sender = {"part": "sender", "how": "is", "pattern": "@customer.example"}
    sorting(as_admin, **sender, priority="low", type_id=request_type.id, tags="b2b")
    ticket = opened()
    # The first that says a priority is heard; tags add up.
    assert (ticket.priority, ticket.type_id, ticket.topic_id) == ("high", request_type.id, billing.id)
    assert [tag.name for tag in ticket.tags] == ["b2b", "money", "vip"]
    assert opened("Hello").priority == "low"
    other = opened(sender="tom@elsewhere.example")
    assert (other.priority, other.type_id, len(other.tags)) == ("high", None, 2)
    assert [rule.hits for rule in db.session.scalars(select(Rule).order_by(Rule.id))] == [2, 2]
    page = as_admin.get("/p/email/rules").text
    assert all(words in page for words in ("Priority: High", "Topic: Billing", "Tags: money, vip", "Tags: b2b"))


def test_a_rule_that_sorts_lets_nothing_in_that_another_keeps_out(as_admin: Any) -> None:
    sorting(as_admin, priority="high")
    add(part="text", how="contains", pattern="casino")
    holding = add(part="text", how="contains", pattern="lottery", act="hold")
    assert receive("email", mail(subject="Invoice", text="casino")).outcome == "ignored"
    held = receive("email", mail(subject="Invoice", text="lottery"))
    assert held.outcome == "quarantined"
    # Let in by a person it is sorted as well.
    assert as_admin.post(f"/admin/mail/{held.intake_id}/accept").status_code == 303
    (ticket,) = db.session.scalars(select(Ticket)).all()
    assert ticket.priority == "high" and holding.act == "hold"


@pytest.mark.db
def test_what_a_rule_names_and_there_is_no_longer_is_left_out(
    as_admin: Any, billing: Topic, request_type: TicketType
) -> None:
    other = Topic(name="Travel", path="/")
    with transaction():
        db.session.add(other)
    sorting(as_admin, type_id=request_type.id, topic_id=billing.id, tags="kept")
    sorting(as_admin, topic_id=other.id)
    with transaction():
        add(part="subject", how="contains", pattern="invoice", act="sort", priority="blazing")
    as_admin.post(f"/admin/topics/{billing.id}/delete", data={"into": ""})
    as_admin.post(f"/admin/types/{request_type.id}", data={"name": request_type.name})
    as_admin.post(f"/admin/topics/{other.id}", data={"name": "Travel", "parent": ""})
    ticket = opened()
    assert (ticket.priority, ticket.type_id, ticket.topic_id) == ("normal", None, None)
    assert [tag.name for tag in ticket.tags] == ["kept"]
    said = as_admin.get("/admin/mail/1").text
    for words in (
        "the topic “Billing” of a rule was deleted; it was left out",
        "there is no priority “blazing”; it was left out",
        "the type that it should get is no longer in use; it was left out",
        "the topic that it should get is no longer in use; it was left out",
    ):
        assert words in said
    rule_id = db.session.scalars(select(Rule.id).order_by(Rule.id)).first()
    for page in ("/p/email/rules", f"/p/email/rules/{rule_id}"):
        assert "The topic “Billing” was deleted; choose another." in as_admin.get(page).text


def test_more_tags_than_a_ticket_takes_are_left_out_with_a_sentence(as_admin: Any) -> None:
    for start in (0, 20):
        sorting(as_admin, tags=",".join(f"tag{number}" for number in range(start, start + 20)))
    assert opened().tags == []
    assert "A ticket takes 30 tags at most." in as_admin.get("/admin/mail").text


def test_what_a_rule_sorts_is_kept_shown_and_taken_away(as_admin: Any, billing: Topic) -> None:
    sorting(as_admin, priority="urgent", topic_id=billing.id, tags="a,b")
    rule = db.session.scalars(select(Rule)).one()
    page = as_admin.get(f"/p/email/rules/{rule.id}").text
    assert 'value="urgent" selected' in page and f'value="{billing.id}" selected' in page and 'value="a, b"' in page
    change = {
        "part": "subject",
        "how": "contains",
        "pattern": "invoice",
        "act": "hold",
        "priority": "high",
        "tags": "x",
    }
    assert as_admin.post(f"/p/email/rules/{rule.id}", data={**change, "active": "1"}).status_code == 303
    db.session.refresh(rule)
    assert (rule.act, rule.priority, rule.topic_id, rule.topic_name, rule.tags) == ("hold", "", None, "", "")


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
        ({"act": "sort"}, "act"),
        ({"act": "sort", "tags": " , "}, "act"),
        ({"act": "sort", "priority": "blazing"}, "priority"),
        ({"act": "sort", "type_id": "99999"}, "type_id"),
        ({"act": "sort", "topic_id": "one"}, "topic_id"),
        ({"act": "sort", "tags": "x" * 51}, "tags"),
        ({"act": "sort", "tags": ",".join(f"t{number}" for number in range(31))}, "tags"),
        ({"act": "sort", "tags": "x" * 256}, "tags"),
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
        found = first_fit(draft(subject="Cheap pills"))
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


def test_blocking_leaves_a_rule_that_sorts_alone(as_agent: Any, place: Any) -> None:
    add(pattern="spam@elsewhere.example", act="sort", priority="low")
    ticket = opened(sender="spam@elsewhere.example")
    (action,) = place("ticket_actions", ticket, as_agent.user)
    assert as_agent.post(action.url).status_code == 303
    assert sorted(db.session.scalars(select(Rule.act))) == ["ignore", "sort"]


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
    assert first_fit(draft(sender_address="spam@elsewhere.example")) is not None
    with transaction():
        personal.erase_personal_data(person)
    assert list(db.session.scalars(select(Rule.pattern))) == ["@elsewhere.example"]
    with transaction():
        person.email = None
        personal.erase_personal_data(person)
    assert personal.export_personal_data(person) == {}
