"""Who is on a ticket: seen by others at once, written seldom, gone by itself."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from helpdesk.core import presence
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Presence
from helpdesk.core.transaction import transaction


def here(rows: Any) -> list[tuple[int, str]]:
    return [(row.user.id, row.writing) for row in rows]


def age(**values: Any) -> None:
    with transaction():
        db.session.execute(update(Presence).values(seen_at=now() - timedelta(**values)))


@pytest.mark.db
def test_others_see_who_looks_and_who_writes(make_user: Any, make_ticket: Any, count_queries: Any) -> None:
    ticket, anna, ben = make_ticket(), make_user("agent"), make_user("agent")
    assert here(presence.seen(ticket.id, anna)) == []
    assert here(presence.seen(ticket.id, ben)) == [(anna.id, "")]
    assert here(presence.seen(ticket.id, anna, "reply")) == [(ben.id, "")]
    assert here(presence.seen(ticket.id, ben)) == [(anna.id, "reply")], "a change is seen with the next question"
    with count_queries() as asked:
        presence.seen(ticket.id, ben)
    assert len(asked) == 1 and asked[0].lstrip().upper().startswith("SELECT"), "nothing new: nothing written"
    assert {number: here(rows) for number, rows in presence.on([ticket.id, 999], ben).items()} == {
        ticket.id: [(anna.id, "reply")]
    }
    presence.leave(ticket.id, anna)
    assert here(presence.seen(ticket.id, ben)) == []


def test_a_row_is_renewed_in_time_and_believed_no_longer_than_a_quarter_of_a_minute(
    make_user: Any, make_ticket: Any
) -> None:
    ticket, anna, ben = make_ticket(), make_user("agent"), make_user("agent")
    presence.seen(ticket.id, anna, "note")
    age(seconds=9)
    assert here(presence.seen(ticket.id, ben)) == [(anna.id, "note")]
    presence.seen(ticket.id, anna, "note")
    age_of_anna = now() - db.session.scalars(select(Presence.seen_at).where(Presence.user_id == anna.id)).one()
    assert age_of_anna < timedelta(seconds=8)
    age(seconds=16)
    assert here(presence.seen(ticket.id, ben)) == []
    age(minutes=2)
    presence.seen(ticket.id, ben)
    assert list(db.session.scalars(select(Presence.user_id))) == [ben.id], "who writes next clears away"
    presence.seen(ticket.id, ben, "nonsense")
    assert here(presence.seen(ticket.id, anna)) == [(ben.id, "")]


def test_rows_of_a_list_say_who_has_a_ticket_open(make_user: Any, make_ticket: Any, sign_in: Any) -> None:
    ticket, anna, ben = make_ticket(), make_user("agent", name="Anna Bell"), make_user("agent", name="Ben Hook")
    presence.seen(ticket.id, anna)
    presence.seen(ticket.id, ben, presence.REPLY)
    page = sign_in(anna).get("/desk/views/open").text
    assert "Ben Hook is writing here" in page and "Anna Bell has this open" not in page
    assert "Ben Hook is writing here" in sign_in(anna).get(f"/desk/tickets/{ticket.id}/row?view=open").text
    presence.leave(ticket.id, ben)
    assert "Ben Hook" not in sign_in(anna).get("/desk/views/open").text
