"""What most tests begin with: the usual ladder, a team with its supervisor, an agent in it and somebody outside."""

from collections.abc import Callable
from typing import Any

import pytest
from helpdesk_career import ladder, records
from helpdesk_career.models import Level, Person, Track

from helpdesk.api import Ticket, User, assign, db, solve


@pytest.fixture
def boss(make_user: Any) -> User:
    return make_user("admin", name="Bea Boss")


@pytest.fixture
def agent(make_user: Any) -> User:
    return make_user("agent", name="Abe Agent", email="abe@desk.example")


@pytest.fixture
def chief(make_user: Any) -> User:
    return make_user("supervisor", name="Sue Chief")


@pytest.fixture
def other_chief(make_user: Any) -> User:
    return make_user("supervisor", name="Sam Other")


@pytest.fixture
def outsider(make_user: Any) -> User:
    return make_user("agent", name="Olga Out")


@pytest.fixture
def team(make_team: Any, agent: User, chief: User, other_chief: User) -> Any:
    return make_team("Shop", [agent, chief, other_chief])


@pytest.fixture
def track(app: Any, team: Any) -> Track:
    return ladder.begin(None)


@pytest.fixture
def levels(track: Track) -> dict[str, Level]:
    return {level.key: level for level in track.levels}


@pytest.fixture
def asks(levels: Any) -> Callable[..., Level]:
    """Let a level ask for something: ``asks("intermediate", ("career.solved", 3))``."""

    def make(key: str, *rows: Any) -> Level:
        names = ("criterion", "threshold", "choice", "least_count", "days")
        return ladder.save_requirements(levels[key], [dict(zip(names, row, strict=False)) for row in rows], None)

    return make


@pytest.fixture
def junior(agent: User, levels: Any) -> User:
    """The agent, placed at the first level."""
    records.place(agent, levels["junior"], "She has begun.", None)
    return agent


@pytest.fixture
def solved(make_ticket: Any, run_jobs: Any) -> Callable[..., Ticket]:
    """A ticket that somebody has solved, and the facts of it told."""

    def make(user: User, **values: Any) -> Ticket:
        ticket = make_ticket(**values)
        assign(ticket, user, None)
        solve(ticket, user)
        run_jobs()
        return ticket

    return make


@pytest.fixture
def switch(app: Any, make_user: Any, sign_in: Any) -> Callable[[str, bool], None]:
    """Switch a plugin on or off, on the page of an administrator."""
    client = sign_in(make_user("admin", name="Switching Admin"))

    def to(name: str, on: bool) -> None:
        db.session.rollback()
        assert client.post(f"/admin/plugins/{name}/{'on' if on else 'off'}").status_code == 303
        db.session.expire_all()

    return to


@pytest.fixture
def level_of(app: Any) -> Callable[[User], str]:
    """The key of somebody's level now; "" for none."""

    def read(user: User) -> str:
        db.session.expire_all()
        person = db.session.get(Person, user.id)
        return person.level.key if person is not None and person.level is not None else ""

    return read
