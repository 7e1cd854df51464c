"""Teams in the owner's rooms: members who are off stay members, and long lists have pages."""

import re
from typing import Any

from helpdesk.core import accounts
from helpdesk.core.extensions import db
from helpdesk.core.models import Team
from helpdesk.core.teams import change_team, make_team
from helpdesk.core.transaction import transaction

ROOM = "/admin/teams"


def names(page: Any) -> list[str]:
    return re.findall(r'href="/admin/teams/\d+"><bdi>([^<]+)</bdi>', page.text)


def test_a_member_whose_account_is_off_is_shown_and_stays(as_admin: Any, make_user: Any) -> None:
    away, here = make_user("agent", name="Mia Away"), make_user("agent", name="Jonas")
    team = make_team("Workshop", None, members=[away, here])
    accounts.set_active(away, False, None)
    page = as_admin.get(f"{ROOM}/{team.id}").text
    ticked = re.findall(r'name="members" value="(\d+)" checked', page)
    assert sorted(ticked) == sorted([str(away.id), str(here.id)])
    assert (
        as_admin.post(f"{ROOM}/{team.id}", data={"name": "Shop", "active": "1", "members": ticked}).status_code == 303
    )
    db.session.expire_all()
    assert set(team.members) == {away, here}


def test_somebody_who_is_off_is_not_offered_to_other_teams(as_admin: Any, make_user: Any) -> None:
    make_user("agent", name="Mia Away", active=False)
    assert "Mia Away" not in as_admin.get(f"{ROOM}/new").text


def test_what_was_typed_wrongly_is_kept(as_admin: Any, make_user: Any) -> None:
    agent, team = make_user("agent"), make_team("Workshop", None)
    make_team("Sales", None)
    for path in (f"{ROOM}/new", f"{ROOM}/{team.id}"):
        page = as_admin.post(path, data={"name": "SALES", "color": "amber", "members": str(agent.id), "private": "1"})
        assert page.status_code == 422 and 'id="f-name-error"' in page.text and 'value="SALES"' in page.text
        assert re.search(rf'name="members" value="{agent.id}" checked', page.text)
        assert re.search(r'value="amber"[^>]* selected', page.text)
    db.session.expire_all()
    assert (team.name, team.members, team.private) == ("Workshop", [], False)


def test_the_list_has_pages_those_in_use_first(as_admin: Any, count_queries: Any) -> None:
    with transaction():
        db.session.add_all([Team(name=f"Team {number:03}", active=number % 2 == 0) for number in range(110)])
    wanted = [f"Team {number:03}" for number in (*range(0, 110, 2), *range(1, 110, 2))]
    found, path = [], ROOM
    for _page in range(4):
        page = as_admin.get(path)
        found += names(page)
        link = re.search(r'rel="next" href="([^"]+)"', page.text)
        if link is None:
            break
        path = link[1]
    assert found == wanted and len(names(as_admin.get(ROOM))) == 50
    with count_queries() as statements:
        as_admin.get(path)
    assert len(statements) <= 8, statements


def test_odd_cursors_begin_at_the_top(as_admin: Any) -> None:
    team = make_team("Workshop", None)
    for odd in ("x", "-1", "99999", "99999999999999999999", "'--", ""):
        page = as_admin.get(f"{ROOM}?after={odd}")
        assert page.status_code == 200 and names(page) == [team.name], odd


def test_tickets_of_a_team_that_is_off_are_still_counted(as_admin: Any, make_ticket: Any) -> None:
    team = make_team("Workshop", None)
    make_ticket(team=team)
    change_team(team, None, name="Workshop", color="blue", private=False, active=False, members=[])
    row = as_admin.get(ROOM).text.split("<bdi>Workshop</bdi>")[1].split("</tr>")[0]
    assert ">1</a>" in row
    assert as_admin.get(f"{ROOM}/9999").status_code == 404
    assert as_admin.post(f"{ROOM}/99999999999999999999", data={"name": "x"}).status_code == 404
