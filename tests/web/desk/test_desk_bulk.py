"""Filters, saved views, many tickets at once, macros, the file of a list: through the pages."""

import re
from typing import Any

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import runner
from helpdesk.core.models import AuditEntry, BulkAct, Macro, Message, Ticket, View


def _post(client: Any, address: str, **form: Any) -> Any:
    return client.post(address, data={"csrf_token": "", **form})


def _ticket(world: Any, number: int) -> Any:
    with world.app.app_context():
        ticket = db.session.get(Ticket, number)
        return ticket.category, ticket.assignee_id, sorted(tag.name for tag in ticket.tags)


def test_chosen_tickets_are_changed_and_undone(world: Any) -> None:
    client, other = world.client(world.agent), world.client(world.colleague)
    numbers = [world.ticket, world.open(subject="Second"), world.hidden]
    page = client.get("/desk/bulk", query_string={"ids": numbers, "back": "/desk/views/open"})
    assert page.status_code == 200 and b"Change 2 tickets" in page.data
    assert b"https://evil" not in client.get("/desk/bulk?ids=1&back=https://evil.example/desk/views/").data

    wrong = _post(client, "/desk/bulk", ids=numbers, set_due="the other day", add_tags="kept")
    assert wrong.status_code == 422 and b"the other day" in wrong.data and b'value="kept"' in wrong.data
    assert _post(client, "/desk/bulk", ids=numbers).status_code == 422

    done = _post(client, "/desk/bulk", ids=numbers, set_status="solved", assign="me", add_tags="batch")
    with world.app.app_context():
        act = db.session.query(BulkAct).one().id
    assert done.location.endswith(f"/desk/bulk/{act}")
    report = client.get(done.location).get_data(as_text=True)
    assert "2 tickets were changed." in report and "1 was left out." in report and f"#{world.hidden}" in report
    assert _ticket(world, world.ticket) == ("solved", world.agent, ["batch"])
    assert other.get(done.location).status_code == other.post(f"{done.location}/undo").status_code == 404

    client.post(f"/desk/bulk/{act}/undo")
    category, assignee, tags = _ticket(world, world.ticket)
    assert (category, assignee, tags) != ("solved", world.agent, ["batch"]) and tags == []


def test_all_of_a_list_with_a_toast_that_undoes(world: Any, monkeypatch: Any) -> None:
    client = world.client(world.agent)
    one = world.open(subject="Tagged", tags=["wave"])
    assert b"Change 1 ticket" in client.get("/desk/bulk?all=1&tag=wave").data
    done = _post(client, "/desk/bulk", all="1", tag="wave", set_priority="urgent", back="/desk/views/all?f=1&tag=wave")
    page = client.get(done.location).get_data(as_text=True)
    assert "1 ticket was changed." in page
    undo = re.search(r'action="(/desk/bulk/\d+/undo)"', page)
    assert undo is not None
    client.post(undo[1])
    with world.app.app_context():
        assert db.session.get(Ticket, one).priority == "normal"
    monkeypatch.setattr("helpdesk.core.bulk.AT_ONCE", 0)
    running = _post(client, "/desk/bulk", all="1", tag="wave", set_priority="low")
    assert "0 of 1 tickets are dealt with." in client.get(running.location).get_data(as_text=True)
    with world.app.app_context():
        runner.run_due()
    assert "1 ticket was changed." in client.get(running.location).get_data(as_text=True)


def test_a_macro_is_kept_looked_over_and_carried_out_as_a_whole(world: Any) -> None:
    client, other = world.client(world.agent), world.client(world.colleague)
    wrong = _post(client, "/desk/macros/new", name="Thanks", reply="Hello {{ boss.name }}")
    assert wrong.status_code == 422 and b"Hello {{ boss.name }}" in wrong.data
    assert _post(client, "/desk/macros/new", name="Nothing").status_code == 422
    assert _post(client, "/desk/macros/new", name="x", set_status="solved", shared_with="everybody").status_code == 403
    text = "Dear {{ customer.first_name | customer }}, it is solved."
    saved = _post(client, "/desk/macros/new", name="Thanks", reply=text, set_status="solved", add_tags="thanked")
    assert saved.status_code == 303
    with world.app.app_context():
        macro = db.session.query(Macro).one().id
    address = f"/desk/tickets/{world.ticket}/macros/{macro}"
    preview = client.get(address).get_data(as_text=True)
    assert "it is solved." in preview and "{{" not in preview and "thanked" in preview
    assert _ticket(world, world.ticket)[0] == "new", "looking does nothing"
    assert (
        other.get(address).status_code == 404 and b"Thanks" in client.get(f"/desk/tickets/{world.ticket}/macros").data
    )

    version = re.search(r'name="version" value="(\d+)"', preview)
    assert version is not None
    world.do(workflow.note, MessageDraft("Wait"))
    assert _post(client, address, version=version[1]).status_code == 409, "somebody wrote meanwhile"
    assert _ticket(world, world.ticket)[0] == "new" and _ticket(world, world.ticket)[2] == [], "all or nothing"
    assert _post(client, address).status_code == 303
    assert _ticket(world, world.ticket)[0] == "solved" and _ticket(world, world.ticket)[2] == ["thanked"]
    with world.app.app_context():
        said = db.session.query(Message).filter_by(ticket_id=world.ticket, visibility="public").all()[-1].text
    assert said.startswith("Dear ") and "it is solved." in said
    _post(client, f"/desk/macros/{macro}", name="Thanks", set_status="solved", active="1")
    assert _post(client, f"/desk/macros/{macro}/delete").status_code == 303


def test_a_macro_that_moves_a_ticket_out_of_sight_does_the_rest_first(world: Any) -> None:
    client = world.client(world.agent)

    def macro(**does: Any) -> str:
        assert _post(client, "/desk/macros/new", name="Away", **does).status_code == 303
        with world.app.app_context():
            return str(db.session.query(Macro).order_by(Macro.id.desc()).limit(1).one().id)

    everything = {"note": "For the board.", "set_priority": "high", "add_tags": "board", "set_status": "pending"}
    away = macro(move=world.board, assign=world.colleague, **everything)
    done = _post(client, f"/desk/tickets/{world.ticket}/macros/{away}")
    assert done.status_code == 303
    assert "You no longer see this ticket." in client.get(done.location).get_data(as_text=True)
    assert client.get(f"/desk/tickets/{world.ticket}").status_code == 404
    assert _ticket(world, world.ticket) == ("pending", world.colleague, ["board"])
    with world.app.app_context():
        assert db.session.get_one(Ticket, world.ticket).team_id == world.board

    # A ticket that one sees for being its agent only: what comes after it is given away would be denied.
    own = world.open(team_id=world.board, assignee_id=world.agent)
    back = macro(assign=world.colleague, move=world.workshop, add_tags="board")
    refused = _post(client, f"/desk/tickets/{own}/macros/{back}")
    assert refused.status_code == 422 and b"Change team and assignee one after the other." in refused.data
    assert _ticket(world, own) == ("new", world.agent, [])
    # The same for many at once: the reason stands beside what was left out.
    report = client.get(_post(client, "/desk/bulk", ids=[own], assign=world.colleague, move=world.workshop).location)
    assert b"Change team and assignee one after the other." in report.data


def test_a_view_with_what_is_gone_and_with_columns_of_its_own(world: Any) -> None:
    client = world.client(world.admin)
    gone = "team=4711&type=4711&topic=4711&organization=4711&field_gone=x&status=gone&assignee=4711"
    page = client.get(f"/desk/views/all?f=1&{gone}").get_data(as_text=True)
    assert "a team that is gone" in page and "a field that is gone" in page and "somebody who is gone" in page
    assert client.get(f"/desk/views/all/filter?f=1&{gone}").status_code == 200
    days = "created_from=2020-01-01&created_until=&due=today&late=overdue&snoozed=no&reopened=no&unread=yes&search=rub"
    assert client.get(f"/desk/views/all?f=1&{days}").status_code == 200
    assert client.get("/desk/views/all?f=1&created=someday").status_code == 400
    assert client.get("/desk/views/all?sort=due").status_code == 200
    _post(client, "/desk/views", name="Week", view="all", created="week", shared_with="everybody", sort="due")
    with world.app.app_context():
        view = db.session.query(View).one().id
    assert client.get(f"/desk/views/{view}/edit").status_code == 200
    form = {
        "name": "This week",
        "sort": "-created",
        "shared_with": "mine",
        "columns": ["channel", "created", "nonsense"],
    }
    assert _post(client, f"/desk/views/{view}/edit", **form, position="3").status_code == 303
    assert _post(client, f"/desk/views/{view}/edit", **{**form, "name": " "}).status_code == 422
    with world.app.app_context():
        saved = db.session.get(View, view)
        assert (saved.name, saved.sort, saved.columns, saved.position, saved.shared_with) == (
            *("This week", "-created", ["channel", "created"]),
            *(3, "mine"),
        )
    assert 'class="trow-4"' in client.get(f"/desk/views/{view}").get_data(as_text=True)
    row = f"/desk/tickets/{world.ticket}/row"
    assert 'class="trow-4"' in client.get(f"{row}?view={view}").get_data(as_text=True), "a row alone has them as well"
    assert 'class="trow-4"' not in client.get(f"{row}?view=all").get_data(as_text=True)


def test_the_file_of_a_list(world: Any) -> None:
    world.open(subject="=HYPERLINK(1)", tags=["csv"])
    assert _post(world.client(world.agent), "/desk/views/all/export").status_code == 403
    answer = _post(world.client(world.admin), "/desk/views/all/export", f="1", tag="csv", sort="number")
    lines = answer.get_data(as_text=True).splitlines()
    assert answer.mimetype == "text/csv" and len(lines) == 2 and "'=HYPERLINK(1)" in lines[1]
    with world.app.app_context():
        assert db.session.query(AuditEntry).filter_by(action="tickets.exported").count() == 1


def test_the_map_is_the_table_of_keys(world: Any) -> None:
    page = world.client(world.agent).get("/desk/views/mine").get_data(as_text=True)
    assert 'data-key="x" data-act="select"' in page and 'data-key="g h" data-act="/desk/dashboard"' in page
