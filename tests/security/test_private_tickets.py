"""What has to do with several tickets tells nobody of one that they may not see."""

from typing import Any

import pytest

from helpdesk.core import macros, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.macros import MacroDraft
from helpdesk.core.models import BulkAct, BulkItem, Message, Presence, Ticket, TicketLink, TicketMerge


@pytest.fixture
def desk(make_user: Any, make_team: Any, make_ticket: Any) -> Any:
    """An agent of the private team, one who is not, and a ticket on each side."""

    class Desk:
        admin = make_user("admin")
        inside, outside = make_user("agent", name="Ina Inside"), make_user("agent", name="Otto Outside")
        vault = make_team("Vault", [inside], private=True)
        rita = make_user(name="Rita Radler")
        open = make_ticket(requester=rita, subject="Rear brake")
        hidden = make_ticket(requester=rita, subject="Quixmark brake", text="Zinnober", team=vault)

    return Desk


def test_a_private_neighbour_is_named_to_nobody_outside(desk: Any, sign_in: Any, make_ticket: Any) -> None:
    """Neither in the panels nor in the history, whether linked, split off or merged; and no button goes through."""
    merged = make_ticket(requester=desk.rita, subject="Quixmark lamp", text="It flickers.", team=desk.vault)
    workflow.link(desk.open, desk.hidden, desk.inside)
    (row,) = workflow.merge(desk.open, [merged], desk.inside)
    number = desk.open.id
    outside, inside = sign_in(desk.outside), sign_in(desk.inside)
    for place in ("", "/side", "/conversation", "?all=1"):
        told = outside.get(f"/desk/tickets/{number}{place}").text
        assert "Quixmark" not in told, place
        for other in (desk.hidden.id, merged.id):
            assert f"#{other}" not in told and f"/tickets/{other}" not in told, place
    assert "a ticket that you may not see" in outside.get(f"/desk/tickets/{number}").text
    assert f"#{desk.hidden.id}" in inside.get(f"/desk/tickets/{number}").text
    assert outside.post(f"/desk/merges/{row.id}/undo").status_code == 404
    assert outside.get(f"/desk/merge?ids={number},{desk.hidden.id}").text.count("Quixmark") == 0
    for into in (number, desk.hidden.id):
        answer = outside.post("/desk/merge", data={"ids": f"{number},{desk.hidden.id}", "survivor": into})
        assert answer.status_code in (409, 422) and "Quixmark" not in answer.text
    removed = outside.post(f"/desk/tickets/{number}/links/remove", data={"other": desk.hidden.id})
    assert removed.status_code == 422 and db.session.query(TicketLink).count() == 1
    added = outside.post(f"/desk/tickets/{number}/links", data={"other": desk.hidden.id, "kind": "related"})
    assert added.status_code == 422
    assert "There is no ticket of this number." in added.text
    db.session.expire_all()
    assert db.session.get_one(Ticket, desk.hidden.id).merged_into_id is None
    assert db.session.get_one(TicketMerge, row.id).undone_at is None


def test_undoing_a_merge_takes_nothing_out_of_a_hidden_ticket(desk: Any, sign_in: Any, make_ticket: Any) -> None:
    """The first two are everybody's, but their messages are in the private one by now."""
    second = make_ticket(requester=desk.rita, subject="Front brake")
    (row,) = workflow.merge(desk.open, [second], desk.inside)
    workflow.merge(desk.hidden, [desk.open], desk.inside)
    before = db.session.query(Message).filter_by(ticket_id=desk.hidden.id).count()
    assert sign_in(desk.outside).post(f"/desk/merges/{row.id}/undo").status_code == 403
    db.session.expire_all()
    assert db.session.query(Message).filter_by(ticket_id=desk.hidden.id).count() == before
    assert sign_in(desk.inside).post(f"/desk/merges/{row.id}/undo").status_code == 303


def test_many_at_once_leave_out_what_is_hidden(desk: Any, sign_in: Any) -> None:
    """By number, by a filter, by a macro, and when a ticket goes private between the act and its undoing."""
    outside = sign_in(desk.outside)
    ids = f"{desk.open.id},{desk.hidden.id},99999"
    page = outside.get(f"/desk/bulk?ids={ids}").text
    assert "Rear brake" in page and "Quixmark" not in page
    answer = outside.post("/desk/bulk", data={"ids": ids, "set_priority": "urgent", "note": "Seen."})
    told = outside.get(answer.location).text
    assert "Quixmark" not in told
    reasons = {item.ticket_id: item.reason for item in _items()}
    assert reasons[desk.hidden.id] == reasons[99999] != reasons[desk.open.id] == ""
    outside.post("/desk/bulk", data={"all": "1", "search": "Quixmark", "set_priority": "low"})
    outside.post("/desk/bulk", data={"all": "1", "set_priority": "high"})
    db.session.expire_all()
    assert (desk.open.priority, desk.hidden.priority) == ("high", "normal")
    act = db.session.query(BulkAct).order_by(BulkAct.id.desc()).first()
    workflow.move(desk.open, desk.vault, desk.inside)
    told = outside.post(f"/desk/bulk/{act.id}/undo", follow_redirects=True).text
    db.session.expire_all()
    assert desk.open.priority == "high" and "Rear brake" not in told
    assert sign_in(desk.inside).get(f"/desk/bulk/{act.id}").status_code == 404
    own = macros.save(None, MacroDraft("Seen", [{"do": "set_priority", "value": "low"}]), desk.outside)
    for method in (outside.get, outside.post):
        assert method(f"/desk/tickets/{desk.hidden.id}/macros/{own.id}").status_code == 404
    theirs = macros.save(None, MacroDraft("Mine", [{"do": "note", "value": "x"}]), desk.inside)
    bulk = outside.post("/desk/bulk", data={"ids": desk.open.id, "macro": theirs.id})
    assert bulk.status_code == 422


def _items() -> Any:
    return db.session.query(BulkItem).all()


def test_lists_files_and_search_are_of_what_one_may_see(desk: Any, sign_in: Any, make_user: Any, run_jobs: Any) -> None:
    """The export needs its permission; counts, excerpts and people's marks are of visible tickets."""
    workflow.note(desk.open, MessageDraft("Notemark for us"), desk.inside)
    workflow.note(desk.hidden, MessageDraft("Notemark behind the door"), desk.inside)
    inside, outside = sign_in(desk.inside), sign_in(desk.outside)
    inside.post(f"/desk/tickets/{desk.hidden.id}/presence", data={"writing": "reply"})
    inside.post(f"/desk/tickets/{desk.hidden.id}/draft", data={"mode": "reply", "text": "Quixmark words", "once": "k"})
    run_jobs()
    for query in ("Quixmark", "Zinnober", "Notemark behind", f"#{desk.hidden.id}", "Quixm*"):
        for page in ("/desk/search", "/desk/palette"):
            told = outside.get(page, query_string={"q": query}).text
            assert f"tickets/{desk.hidden.id}" not in told and "behind the door" not in told, query
            assert "Quixmark brake" not in told, query
    assert "behind" in inside.get("/desk/search?q=Notemark").text
    for page in ("/desk/views/all", "/desk", "/desk/drafts", "/desk/promises", "/desk/notifications"):
        told = outside.get(page, follow_redirects=True).text
        assert "Quixmark" not in told, page
    for path in ("presence", "draft", "messages", "split", "times/due", "calls", "canned"):
        assert outside.post(f"/desk/tickets/{desk.hidden.id}/{path}", data={"text": "x"}).status_code == 404, path
    assert db.session.query(Presence).filter_by(user_id=desk.outside.id).count() == 0
    assert outside.post("/desk/views/all/export").status_code == 403
    rita = sign_in(desk.rita)
    for path in ("/desk/search?q=Notemark", "/desk/palette?q=Notemark", "/desk/views/all/export"):
        assert rita.open(path, method="POST" if "export" in path else "GET").status_code == 403
    told = rita.get(f"/tickets/{desk.open.id}").text
    assert "Notemark" not in told


def test_a_notice_of_a_ticket_that_went_private_is_gone(desk: Any, sign_in: Any, run_jobs: Any, mailbox: Any) -> None:
    """On the page, in what the browser asks for, and in the mail that was not sent yet."""
    workflow.note(desk.open, MessageDraft("@Otto Outside look", mentions=[desk.outside.id]), desk.inside)
    run_jobs()
    outside = sign_in(desk.outside)
    assert "Rear brake" in outside.get("/desk/notifications").text
    workflow.move(desk.open, desk.vault, desk.inside)
    workflow.note(desk.open, MessageDraft("@Otto Outside secret", mentions=[desk.outside.id]), desk.inside)
    run_jobs()
    assert "Rear brake" not in outside.get("/desk/notifications").text
    assert "Rear brake" not in outside.get("/desk/notifications/news?since=0").text
    assert not any("secret" in str(mail) for mail in mailbox.to(desk.outside.email))
