"""Signed links: made for one ticket and one person, worth nothing to another, and nothing once the key has changed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.core import links
from helpdesk.core.extensions import db


def test_a_token_names_its_ticket_and_person(make_ticket: Any, make_user: Any) -> None:
    ticket, otto = make_ticket(), make_user()
    for person in (ticket.requester, otto):
        token = links.token(links.REPLY, ticket, person)
        assert links.redeem(links.REPLY, token) == links.redeem(links.REPLY, token.upper()) == (ticket, person)
        assert links.redeem(links.FOLLOW, token) is None, "it is for one purpose"
        assert len(token) <= 60 and token.replace("-", "").isalnum()
    assert links.follow_url(ticket, otto) == f"http://desk.example/t/{links.token(links.FOLLOW, ticket, otto)}"
    assert links.desk_url(ticket) == f"http://desk.example/desk/tickets/{ticket.id}"


def test_plugins_have_links_of_their_own(make_ticket: Any) -> None:
    ticket = make_ticket()
    token = links.link_token("orders:pay", ticket, ticket.requester)
    assert links.redeem_link("orders:pay", token) == (ticket, ticket.requester)
    assert links.redeem_link("orders:see", token) is links.redeem(links.FOLLOW, token) is None
    for make in (
        lambda: links.link_token(links.FOLLOW, ticket, ticket.requester),
        lambda: links.redeem_link("", token),
    ):
        with pytest.raises(ValueError, match="begins with its name and a colon"):
            make()


def test_no_part_can_be_exchanged(make_ticket: Any, make_user: Any) -> None:
    one, other = make_ticket(), make_ticket()
    number, person, seal = links.token(links.REPLY, one, one.requester).split("-")
    others_number, others_person, others_seal = links.token(links.REPLY, other, other.requester).split("-")
    for parts in (
        (others_number, person, seal),
        (number, others_person, seal),
        (number, person, others_seal),
        (others_number, others_person, seal),
        ("zzzzzzzzzzzzz", person, seal),
        (number, "zzzzz", seal),
    ):
        assert links.redeem(links.REPLY, "-".join(parts)) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.from_regex(r"[0-9a-z]{1,13}-[0-9a-z]{1,13}-[0-9a-z]{26}", fullmatch=True))
def test_what_is_no_token_is_none(text: str) -> None:
    from helpdesk.core.links import _TOKEN

    assert _TOKEN.fullmatch(text) is None or len(text) <= 54


@pytest.mark.parametrize("text", ["", "1-1", "1-1-" + "a" * 26, "x" * 5000, "1-1-" + "é" * 26, "\x00"])
def test_a_guess_finds_nothing(make_ticket: Any, text: str) -> None:
    make_ticket()
    assert links.redeem(links.FOLLOW, text) is None


def test_a_new_key_or_a_person_who_is_off_ends_all_links(make_ticket: Any, make_user: Any) -> None:
    ticket, otto = make_ticket(), make_user()
    mine, theirs = links.token(links.FOLLOW, ticket, ticket.requester), links.token(links.FOLLOW, ticket, otto)
    otto.active = False
    db.session.commit()
    assert links.redeem(links.FOLLOW, theirs) is None and links.redeem(links.FOLLOW, mine) is not None
    ticket.access_key = "f" * 32
    db.session.commit()
    assert links.redeem(links.FOLLOW, mine) is None


def test_another_installation_makes_other_tokens(app: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    token = links.token(links.FOLLOW, ticket, ticket.requester)
    app.secret_key = "another"
    assert links.redeem(links.FOLLOW, token) is None
