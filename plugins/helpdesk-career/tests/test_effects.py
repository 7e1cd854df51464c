"""What levels and certificates do: rights that work on a ticket, and tickets that only some are given.

The hooks opened_permissions, veto, limit_assignees and choose_assignee.
"""

from datetime import timedelta
from typing import Any

import pytest
from helpdesk_career import ladder, proposals, records, rules
from helpdesk_career.models import Rule

from helpdesk.api import (
    Invalid,
    NotAllowed,
    Permission,
    TicketDraft,
    allowed,
    close,
    db,
    drop_cached,
    now,
    open_ticket,
    transaction,
)


def rule(boss: Any, act: str, **values: Any) -> Rule:
    return rules.save(None, {"act": act, **values}, boss)


def test_the_new_right_works_on_a_ticket_after_the_promotion(
    junior: Any, levels: Any, chief: Any, other_chief: Any, boss: Any, make_ticket: Any
) -> None:
    rule(boss, "needs", level_id=levels["intermediate"].id, permission="ticket.close")
    ticket = make_ticket(assignee=junior)
    assert not allowed(junior, "ticket.close", ticket) and allowed(junior, "ticket.reply", ticket)
    with pytest.raises(NotAllowed):
        close(ticket, junior)
    proposal = proposals.propose(junior, levels["intermediate"], "Good.", chief)
    proposals.decide(proposal, True, "", other_chief)
    assert allowed(junior, "ticket.close", ticket)
    close(ticket, junior)
    assert ticket.category == "closed"
    assert allowed(chief, "ticket.close"), "supervisors need no level"


def test_a_level_opens_what_supervisors_have_and_a_higher_one_too(
    agent: Any, levels: Any, boss: Any, outsider: Any
) -> None:
    one = rule(boss, "opens", level_id=levels["senior"].id, permission="ticket.export")
    assert not allowed(agent, "ticket.export")
    for key, has in (("intermediate", False), ("senior", True), ("supervisor", True), ("junior", False)):
        records.place(agent, levels[key], "So.", None)
        assert allowed(agent, "ticket.export") is has, key
        assert not allowed(agent, "report.read") and not allowed(outsider, "ticket.export")
    records.place(agent, levels["senior"], "So.", None)
    rules.remove(one, boss)
    assert not allowed(agent, "ticket.export")


@pytest.mark.db
def test_off_it_opens_and_takes_nothing(app: Any, agent: Any, levels: Any, boss: Any, switch: Any) -> None:
    rule(boss, "opens", level_id=levels["junior"].id, permission="ticket.export")
    rule(boss, "needs", level_id=levels["senior"].id, permission="ticket.close")
    records.place(agent, levels["junior"], "So.", None)
    assert allowed(agent, "ticket.export") and not allowed(agent, "ticket.close")
    switch("career", False)
    assert not allowed(agent, "ticket.export") and allowed(agent, "ticket.close")
    switch("career", True)
    with transaction():
        agent.active = False
    assert not allowed(agent, "ticket.export")


def certificate(holders: Any) -> Any:
    return lambda: [{"key": "probe.7", "label": "Refund certificate", "holders": holders}, {"label": "broken"}, 7]


def test_certificates_count_until_they_expire(
    agent: Any, levels: Any, boss: Any, plug: Any, travel: Any
) -> None:  # fmt: skip
    plug("probe", career_certificates=certificate({agent.id: now() + timedelta(days=10)}))
    made = rule(boss, "opens", certificate="probe.7", permission="ticket.export")
    assert made.certificate_label == "Refund certificate" and allowed(agent, "ticket.export")
    travel(days=11)
    assert not allowed(agent, "ticket.export"), "although nothing was dropped from the cache"
    with pytest.raises(Invalid, match="no such certificate"):
        rule(boss, "opens", certificate="probe.8", permission="ticket.export")


@pytest.mark.db
def test_a_certificate_whose_plugin_is_off_opens_nothing(
    app: Any, agent: Any, track: Any, boss: Any, plug: Any, switch: Any
) -> None:
    plug("probe", career_certificates=certificate({agent.id: None}))
    rule(boss, "opens", certificate="probe.7", permission="ticket.export")
    rule(boss, "needs", certificate="probe.7", permission="ticket.close")
    assert allowed(agent, "ticket.export") and allowed(agent, "ticket.close")
    switch("probe", False)
    with transaction():
        drop_cached()
    assert not allowed(agent, "ticket.export") and not allowed(agent, "ticket.close")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"act": "grants"}, "act"),
        ({"act": "opens", "permission": "ticket.export"}, "level_id"),
        ({"act": "opens", "level_id": 1, "certificate": "x", "permission": "ticket.export"}, "level_id"),
        ({"act": "opens", "level_id": 99_999, "permission": "ticket.export"}, "level_id"),
        *(
            ({"act": "opens", "level_id": 1, "permission": name}, "permission")
            for name in ("admin.use", "user.edit", "ticket.reply", "career.lead", "career.approve", "career.manage", "")
        ),
        ({"act": "needs", "level_id": 1, "permission": "desk.use"}, "permission"),
        ({"act": "needs", "level_id": 1, "permission": "ticket.read"}, "permission"),
        ({"act": "takes", "level_id": 1}, "tag"),
        ({"act": "takes", "level_id": 1, "priority": "burning"}, "priority"),
        ({"act": "takes", "level_id": 1, "type_id": 99_999}, "type_id"),
    ],
)
def test_rules_that_cannot_be(levels: Any, boss: Any, values: dict[str, Any], field: str) -> None:
    if values.get("level_id") == 1:
        values = values | {"level_id": levels["senior"].id}
    with pytest.raises(Invalid) as refused:
        rules.save(None, values, boss)
    assert refused.value.field == field and db.session.scalars(db.select(Rule)).all() == []


def test_only_administrators_make_rules_and_a_rule_that_was_put_in_otherwise_opens_nothing_of_careers(
    agent: Any, chief: Any, levels: Any
) -> None:
    for actor in (agent, chief):
        with pytest.raises(NotAllowed):
            rules.save(None, {"act": "opens", "level_id": levels["junior"].id, "permission": "ticket.export"}, actor)
    records.place(agent, levels["junior"], "So.", None)
    with transaction():
        for name in ("career.approve", "career.manage", "admin.use", "user.edit"):
            db.session.add(Rule(act="opens", level_id=levels["junior"].id, permission=name))
        drop_cached()
    assert not any(allowed(agent, name) for name in ("career.approve", "career.manage", "admin.use", "user.edit"))


def test_what_other_plugins_have_for_supervisors_can_be_opened(
    agent: Any, levels: Any, boss: Any, plug: Any
) -> None:  # fmt: skip
    plug("orders", register_permissions=lambda: [Permission("orders.refund", "Refund orders")])
    assert ("orders.refund", "Refund orders") in rules.openable()
    rule(boss, "opens", level_id=levels["junior"].id, permission="orders.refund")
    records.place(agent, levels["junior"], "So.", None)
    assert allowed(agent, "orders.refund")


def opened(customer: Any, team: Any = None, **values: Any) -> Any:
    draft = TicketDraft("Bell", customer.id, "It is mute.", team_id=team.id if team else None)
    for key, value in values.items():
        setattr(draft, key, value)
    return open_ticket(draft, None)


@pytest.fixture
def crew(make_user: Any, levels: Any) -> list[Any]:
    """A junior, a senior, and somebody without a level."""
    people = [make_user("agent", name=name) for name in ("Jun", "Sen", "Non")]
    records.place(people[0], levels["junior"], "So.", None)
    records.place(people[1], levels["senior"], "So.", None)
    return people


def taker(ticket: Any) -> str:
    return ticket.assignee.name if ticket.assignee else "-"


@pytest.mark.db
def test_complaints_only_to_senior_agents(
    app: Any, crew: Any, levels: Any, boss: Any, make_user: Any, make_team: Any
) -> None:
    rule(boss, "takes", level_id=levels["senior"].id, tag="complaint", gives=False)
    team, customer = make_team("Ours", crew, assignment="round_robin"), make_user()
    assert [taker(opened(customer, team, tags=["complaint"])) for _turn in range(3)] == ["Sen", "Sen", "Sen"]
    assert sorted(taker(opened(customer, team)) for _turn in range(3)) == ["Jun", "Non", "Sen"]
    # Nobody of that level is there: it waits, rather than going to somebody else.
    with transaction():
        crew[1].active = False
    assert taker(opened(customer, team, tags=["complaint"])) == "-"


def test_given_to_them_where_the_team_assigns_by_hand(
    crew: Any, levels: Any, boss: Any, make_user: Any, make_team: Any, plug: Any
) -> None:
    customer, team = make_user(), make_team("Hands", crew)
    made = rule(boss, "takes", level_id=levels["senior"].id, priority="urgent", gives=True)
    assert taker(opened(customer, team, priority="urgent")) == "Sen" and taker(opened(customer, team)) == "-"
    # Of two who can, who has the least to do; the junior moves up.
    records.place(crew[0], levels["supervisor"], "So.", None)
    assert taker(opened(customer, team, priority="urgent")) == "Jun"
    elsewhere = make_team("Elsewhere", [])
    assert taker(opened(customer, elsewhere, priority="urgent")) == "-"
    rules.save(made, {"act": "takes", "level_id": levels["senior"].id, "priority": "urgent", "gives": False}, boss)
    assert taker(opened(customer, team, priority="urgent")) == "-"
    # What another plugin chooses must have the level, too.
    plug("chooses", choose_assignee=lambda ticket: crew[2])
    assert taker(opened(customer, team, priority="urgent")) == "-" and taker(opened(customer, team)) == "Non"


def test_two_rules_about_one_ticket_are_both_kept(
    crew: Any, levels: Any, boss: Any, make_user: Any, plug: Any, make_team: Any
) -> None:
    plug("probe", career_certificates=certificate({crew[0].id: None}))
    rule(boss, "takes", level_id=levels["senior"].id, tag="complaint", gives=True)
    rule(boss, "takes", certificate="probe.7", priority="urgent", gives=True)
    customer, team = make_user(), make_team("Hands", crew)
    assert taker(opened(customer, team, tags=["complaint"])) == "Sen"
    assert taker(opened(customer, team, priority="urgent")) == "Jun"
    assert taker(opened(customer, team, tags=["complaint"], priority="urgent")) == "-"


@pytest.mark.db
def test_checks_cost_no_query_while_nothing_changes(
    app: Any, agent: Any, levels: Any, boss: Any, make_ticket: Any, count_queries: Any
) -> None:
    rule(boss, "needs", level_id=levels["senior"].id, permission="ticket.close")
    rule(boss, "opens", level_id=levels["junior"].id, permission="ticket.export")
    records.place(agent, levels["junior"], "So.", None)
    allowed(agent, "ticket.export")
    _loaded = agent.role, agent.id, agent.active
    with count_queries() as statements:
        assert allowed(agent, "ticket.export") and not allowed(agent, "ticket.close")
    assert statements == []


def test_a_level_that_is_retired_still_counts_for_who_holds_it(agent: Any, levels: Any, boss: Any) -> None:
    rule(boss, "opens", level_id=levels["intermediate"].id, permission="ticket.export")
    records.place(agent, levels["senior"], "So.", None)
    ladder.retire_level(levels["senior"], True, boss)
    assert allowed(agent, "ticket.export")
