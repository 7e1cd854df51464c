"""What administrators change about people."""

from collections.abc import Callable
from typing import Any

import pytest

from helpdesk.core import accounts, staff
from helpdesk.core.accounts import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, User
from helpdesk.core.organizations import make_organization
from helpdesk.core.permissions import NotAllowed

PASSWORD = "a rather long pass phrase"


def acts(user: User) -> list[str]:
    query = db.select(AuditEntry.action).where(AuditEntry.subject == user.email).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


@pytest.mark.parametrize("role", ["requester", "agent", "supervisor"])
def test_only_administrators(make_user: Any, role: str) -> None:
    actor, user = make_user(role), make_user("agent")
    verbs: list[Callable[[], Any]] = [
        lambda: staff.change_person(user, actor, name="Mine", role="admin", active=True),
        lambda: staff.send_password_link(user, actor),
        lambda: staff.invitation_link(user, actor),
    ]
    for verb in verbs:
        with pytest.raises(NotAllowed):
            verb()
    assert user.role == "agent" and db.session.scalar(db.select(db.func.count(Delivery.id))) == 0


def test_everything_changes_in_one_act_and_sessions_die_with_the_role(make_user: Any, make_team: Any) -> None:
    admin, user, team = make_user("admin"), make_user("agent", name="Mia"), make_team("Workshop")
    stamp = user.auth_stamp
    staff.change_person(user, admin, name=" Mia  Sorel ", role="agent", active=True, teams=[team])
    assert (user.name, user.teams, user.auth_stamp) == ("Mia Sorel", [team], stamp)
    staff.change_person(user, admin, name="Mia Sorel", role="supervisor", active=True, teams=[team])
    assert user.auth_stamp != stamp
    assert acts(user) == ["user.created", "user.changed", "user.role_changed"], "what did not change is not recorded"


def test_a_customer_leaves_the_teams_and_may_have_no_name(make_user: Any, make_team: Any) -> None:
    user, team, firm = make_user("agent"), make_team("Workshop"), make_organization("Acme", None)
    staff.change_person(user, None, name="Mia", role="agent", active=True, teams=[team])
    staff.change_person(user, None, name="", role="requester", active=True, teams=[team], organization=firm)
    assert (user.name, user.role, user.teams, user.organization) == ("", "requester", [], firm)


def test_a_phone_number_is_kept_until_another_one_or_none_is_given(make_user: Any) -> None:
    user = make_user("agent", name="Mia")

    def change(**more: Any) -> str | None:
        staff.change_person(user, None, name="Mia", role="agent", active=True, **more)
        return user.phone

    assert change(phone="  +44 20  7946 0018 ") == "+44 20 7946 0018"
    assert change() == "+44 20 7946 0018"
    assert acts(user).count("user.changed") == 1, "what stays is not recorded"
    assert change(phone=" ") is None


@pytest.mark.parametrize("bad", [{"name": " "}, {"name": "x" * 201}, {"role": "king"}, {"phone": "1" * 65}])
def test_bad_values_change_nothing(make_user: Any, bad: dict[str, str]) -> None:
    user = make_user("agent", name="Mia")
    with pytest.raises(AccountError) as problem:
        staff.change_person(user, None, **{"name": "Other", "role": "supervisor", "active": False, **bad})
    assert problem.value.field == next(iter(bad))
    db.session.expire_all()
    assert (user.name, user.role, user.active) == ("Mia", "agent", True)


@pytest.mark.db
def test_two_administrators_who_demote_each_other_leave_one(make_user: Any, at_once: Any) -> None:
    ids = [make_user("admin").id, make_user("admin").id]

    def demote(number: int) -> str:
        accounts.change_role(db.session.get_one(User, ids[number]), "agent", None)
        return "done"

    results = at_once(2, demote)
    assert sorted(type(result) for result in results if not isinstance(result, str)) == [AccountError]
    assert db.session.scalar(db.select(db.func.count(User.id)).where(User.role == "admin")) == 1


def test_a_link_by_mail_invites_first_and_resets_later(make_user: Any) -> None:
    new, old = make_user("agent"), make_user("agent", password=PASSWORD)
    for user in (new, old):
        staff.send_password_link(user, None)
    assert list(db.session.scalars(db.select(Delivery.kind).order_by(Delivery.id))) == ["invitation", "reset"]
    assert acts(old)[-1] == "user.link_sent"
    accounts.set_active(old, False, None)
    with pytest.raises(AccountError, match="switched off"):
        staff.send_password_link(old, None)


def test_a_link_to_hand_over_works_once_and_never_for_an_account_in_use(client: Any, make_user: Any) -> None:
    user = make_user("agent")
    first, second = staff.invitation_link(user, None), staff.invitation_link(user, None)
    assert first.startswith("http://desk.example/auth/password/invitation/")
    path = second.removeprefix("http://desk.example")
    assert client.get(first.removeprefix("http://desk.example")).status_code == 404
    assert client.post(path, data={"password": PASSWORD, "repeated": PASSWORD}).status_code == 303
    assert client.get(path).status_code == 404
    db.session.expire_all()
    with pytest.raises(AccountError, match="password already"):
        staff.invitation_link(user, None)
    assert path.rsplit("/", 1)[1] not in str([entry.data for entry in db.session.scalars(db.select(AuditEntry))])
