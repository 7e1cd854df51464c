"""Views and pages: what a filter means, and that every page is there, whatever happens between two of them."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk.core import filters, views, workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.filters import InvalidFilter, TicketFilter, parse_filter, parse_sort
from helpdesk.core.models import Ticket, View
from helpdesk.core.pages import ticket_page
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.workflow import mark_read


@pytest.fixture
def shelf(make_ticket: Any, make_user: Any, make_team: Any) -> dict[str, Any]:
    """Tickets that differ in each thing that can be filtered."""
    jonas, team, rita = make_user("agent"), make_team(), make_user(name="Rita 100%", email="rita_x@post.example")
    return {
        "jonas": jonas,
        "team": team,
        "rita": rita,
        "plain": make_ticket("Plain"),
        "high": make_ticket("Urgent brake", priority="urgent", tags=["brakes", "warranty"]),
        "mine": make_ticket("Mine", assignee=jonas, team=team, tags=["brakes"]),
        "solved": make_ticket("Solved", status="solved"),
        "hers": make_ticket("Of Rita", requester=rita),
    }


def found(shelf: dict[str, Any], **wanted: Any) -> set[str]:
    page = ticket_page(shelf["jonas"], parse_filter(wanted), "-updated")
    names = {ticket.id: name for name, ticket in shelf.items() if isinstance(ticket, Ticket)}
    return {names[row.ticket.id] for row in page.rows}


@pytest.mark.db
def test_what_a_filter_means(shelf: dict[str, Any]) -> None:
    everything = {"plain", "high", "mine", "solved", "hers"}
    assert found(shelf) == everything
    assert found(shelf, category=["solved", "closed"]) == {"solved"}
    assert found(shelf, status="new") == everything - {"solved"}
    assert found(shelf, priority="urgent") == {"high"}
    assert found(shelf, tag=["brakes"]) == {"high", "mine"}
    assert found(shelf, tag=["brakes", "WARRANTY"]) == {"high"}
    assert found(shelf, assignee="me") == found(shelf, assignee=str(shelf["jonas"].id)) == {"mine"}
    assert found(shelf, assignee=["none", "me"]) == everything
    assert found(shelf, team="none") == everything - {"mine"}
    assert found(shelf, team=str(shelf["team"].id)) == {"mine"}
    assert found(shelf, requester=str(shelf["rita"].id)) == {"hers"}
    assert found(shelf, text="BRAKE") == {"high"}
    assert found(shelf, text="rita_x@post") == found(shelf, text="100%") == {"hers"}
    assert found(shelf, text="rita%x") == found(shelf, text="r_ta 100") == set()
    assert found(shelf, text=f"#{shelf['plain'].id}") == {"plain"}
    assert found(shelf, category="new", tag="brakes", assignee="me") == {"mine"}
    assert found(shelf, colour="red") == everything, "what is not known is left out"


@pytest.mark.parametrize(
    "wanted",
    [
        {"category": "finished"},
        {"priority": ["high", "'; DROP TABLE ticket; --"]},
        {"status": "Open Sesame"},
        {"team": "1 OR 1=1"},
        {"assignee": "0"},
        {"requester": "-1"},
        {"requester": "9" * 30},
        {"tag": ["x"] * 51},
    ],
)
def test_a_value_that_no_ticket_can_have_is_a_sentence(app: Any, wanted: Any) -> None:
    with pytest.raises(InvalidFilter) as problem:
        parse_filter(wanted)
    assert str(problem.value).endswith((".", "fit."))


@given(st.dictionaries(st.sampled_from([*TicketFilter.__dataclass_fields__, "x"]), st.text() | st.lists(st.text())))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200, deadline=None
)
def test_no_filter_breaks_the_list(app: Any, wanted: Any) -> None:
    with app.test_request_context():
        try:
            read = parse_filter(wanted)
        except InvalidFilter:
            return
        assert parse_filter(read.as_dict()) == read, "a saved view reads as it was written"


@pytest.mark.parametrize("sort", ["password", "-", "--updated", "updated desc", "updated; --"])
def test_only_known_orders_sort(app: Any, sort: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_sort(sort)
    assert parse_sort("") == parse_sort(None) == "-updated"


# ---- pages


@pytest.fixture
def many(make_ticket: Any, make_user: Any) -> Any:
    """Twenty-three tickets of an hour ago, many of them alike in time and priority; answers an admin."""
    rita, moment = make_user(), now() - timedelta(hours=1)
    for number in range(23):
        make_ticket(f"T{number}", requester=rita, priority=("low", "high")[number % 2])
    for ticket in db.session.scalars(select(Ticket)):
        ticket.updated_at = ticket.created_at = moment + timedelta(seconds=ticket.id // 5)
    db.session.commit()
    return make_user("admin")


@pytest.mark.db
@pytest.mark.parametrize("sort", filters.SORTS)
def test_every_ticket_is_on_one_page_and_back_again(many: Any, sort: str) -> None:
    expected = [row.ticket.id for row in ticket_page(many, TicketFilter(), sort, size=100).rows]
    assert len(expected) == 23
    forth, cursor, before = [], None, []
    while True:
        page = ticket_page(many, TicketFilter(), sort, after=cursor, size=7)
        forth.append([row.ticket.id for row in page.rows])
        if page.after is None:
            break
        cursor = page.after
    assert [number for numbers in forth for number in numbers] == expected
    while page.before is not None:
        page = ticket_page(many, TicketFilter(), sort, before=page.before, size=7)
        before.append([row.ticket.id for row in page.rows])
    assert [number for numbers in reversed(before) for number in numbers] == expected[: -len(forth[-1])]


@pytest.mark.db
@pytest.mark.parametrize("sort", ["due", "-due"])
def test_by_due_date_none_is_left_out_and_none_comes_twice(many: Any, sort: str) -> None:
    tickets, moment = list(db.session.scalars(select(Ticket).order_by(Ticket.id))), now()
    for ticket in tickets[::2]:
        ticket.due_at = moment + timedelta(days=ticket.id // 4)
    db.session.commit()
    dated = sorted(tickets[::2], key=lambda ticket: (ticket.due_at, ticket.id))
    expected = [ticket.id for ticket in [*dated, *tickets[1::2]]]
    forth, cursor = [], None
    while True:
        page = ticket_page(many, TicketFilter(), sort, after=cursor, size=5)
        forth.append([row.ticket.id for row in page.rows])
        if (cursor := page.after) is None:
            break
    assert [number for numbers in forth for number in numbers] == (expected if sort == "due" else expected[::-1])
    for numbers in reversed(forth[:-1]):
        page = ticket_page(many, TicketFilter(), sort, before=page.before, size=5)
        assert [row.ticket.id for row in page.rows] == numbers
    assert page.before is None


def test_a_page_holds_its_place_while_tickets_come_and_go(many: Any, make_ticket: Any) -> None:
    first = ticket_page(many, TicketFilter(), "-created", size=7)
    make_ticket("Newer than all")
    db.session.delete(first.rows[-1].ticket)
    db.session.commit()
    second = ticket_page(many, TicketFilter(), "-created", after=first.after, size=7)
    seen = [row.ticket.subject for row in second.rows]
    assert len(seen) == 7 and "Newer than all" not in seen


@pytest.mark.parametrize("cursor", ["x", "1", "1-2-3", "9" * 18 + "-1", "1-1; --", "-1-1", ""])
def test_a_cursor_that_no_page_has_given_is_a_sentence(many: Any, cursor: str) -> None:
    if not cursor:
        assert ticket_page(many, TicketFilter(), "-updated", after=cursor).rows
        return
    with pytest.raises(InvalidFilter, match="not there"):
        ticket_page(many, TicketFilter(), "-updated", after=cursor)


def test_two_queries_whatever_the_number(many: Any, count_queries: Any, make_ticket: Any) -> None:
    assert many.id
    with count_queries() as few:
        ticket_page(many, TicketFilter(), "-updated", size=5)
    with count_queries() as more:
        ticket_page(many, TicketFilter(), "-updated", size=50)
    assert len(few) == len(more) == 2


@pytest.mark.db
def test_what_has_not_been_seen_is_unread(make_user: Any, make_ticket: Any, travel: Any) -> None:
    jonas, ticket = make_user("agent"), make_ticket()

    def unread() -> bool:
        db.session.rollback()
        return ticket_page(jonas, TicketFilter(), "-updated").rows[0].unread

    assert unread()
    mark_read(ticket, jonas)
    mark_read(ticket, jonas)
    assert not unread()
    travel(seconds=5)
    from helpdesk.core.drafts import MessageDraft

    workflow.reply(ticket, MessageDraft("More"), ticket.requester)
    assert unread()
    workflow.reply(ticket, MessageDraft("Mine"), jonas)
    assert not unread()


@pytest.mark.db
def test_a_ticket_opened_in_two_tabs_at_once_is_read(make_user: Any, make_ticket: Any, at_once: Any) -> None:
    from helpdesk.core.models import TicketRead, User

    number, reader = make_ticket().id, make_user("agent").id
    results = at_once(5, lambda _p: mark_read(db.session.get(Ticket, number), db.session.get(User, reader)))
    assert results == [None] * 5
    assert len(db.session.scalars(select(TicketRead)).all()) == 1


# ---- saved views


def test_views_are_for_oneself_a_team_or_everybody(make_user: Any, make_team: Any) -> None:
    jonas, mia, sue = make_user("agent"), make_user("agent"), make_user("supervisor")
    team = make_team(members=[mia])
    wanted = TicketFilter(tag=("brakes",))
    own = views.save_view(" My  brakes ", wanted, "-created", jonas)
    shared = views.save_view("Team's", wanted, "", sue, "team", team)
    public = views.save_view("All's", wanted, "", sue, "everybody")
    assert (own.name, own.sort, own.filters) == ("My brakes", "-created", {"tag": ["brakes"]})
    seen = {user.id: {view.name for view in views.views_of(user).saved} for user in (jonas, mia, sue)}
    assert seen == {
        jonas.id: {"My brakes", "All's"},
        mia.id: {"Team's", "All's"},
        sue.id: {"Team's", "All's"},
    }
    assert views.find_view(str(own.id), mia) is None and views.find_view(str(shared.id), mia) is shared
    with pytest.raises(NotAllowed):
        views.save_view("x", wanted, "", jonas, "everybody")
    with pytest.raises(NotAllowed):
        views.delete_view(public, jonas)
    views.delete_view(own, jonas)
    assert views.find_view(str(own.id), jonas) is None


@pytest.mark.parametrize(("name", "shared"), [("", "mine"), ("x" * 81, "mine"), ("x", "the world"), ("x", "team")])
def test_a_view_has_a_name_and_a_circle(make_user: Any, name: str, shared: str) -> None:
    with pytest.raises(InvalidFilter):
        views.save_view(name, TicketFilter(), "", make_user("supervisor"), shared)


def test_a_view_of_a_newer_version_is_shown_as_far_as_it_is_known(make_user: Any) -> None:
    jonas = make_user("agent")
    view = views.save_view("x", TicketFilter(), "", jonas)
    view.filters, view.sort = {"category": ["imagined"], "moon": ["full"]}, "-moon"
    db.session.commit()
    (named,) = views.views_of(jonas).saved
    assert (named.filter, named.sort) == (TicketFilter(), "-updated")


def test_counts_stop_and_agree_with_the_lists(shelf: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    jonas = shelf["jonas"]
    all_views = views.views_of(jonas).all()
    counts = views.count_of(all_views, jonas)
    for view in all_views:
        assert counts[view.key] == len(ticket_page(jonas, view.filter, view.sort, size=200).rows), view.key
    monkeypatch.setattr(views, "COUNT_LIMIT", 2)
    assert views.count_of(all_views, jonas)["all"] == 3
    assert views.count_of([], jonas) == {}
    assert db.session.scalars(select(View)).all() == []
