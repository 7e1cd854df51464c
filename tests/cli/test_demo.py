"""`helpdesk demo` fills a home of its own, once, and never one that is in use."""

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Said

Run = Callable[..., Said]


def test_the_demo_is_a_shop_with_people_who_can_sign_in(helpdesk: Run, tmp_path: Path) -> None:
    home = str(tmp_path / "demo")
    said = helpdesk("demo", "--home", home, "--json")
    assert said.status == 0, said.err
    assert {row["role"] for row in said.json} == {"admin", "supervisor", "agent"}
    assert all(row["sign_in"] and row["password"] for row in said.json)
    tickets = helpdesk("ticket", "list", "--limit", "1000", "--json").json
    assert len(tickets) >= 40
    assert {row["category"] for row in tickets} == {"new", "open", "pending", "on_hold", "solved", "closed"}
    assert len({row["created_at"][:10] for row in tickets}) > 10
    assert all(row["created_at"] <= row["updated_at"] for row in tickets)
    assert any("\u4e00" <= mark <= "\u9fff" for row in tickets for mark in row["subject"])
    assert any("\u0600" <= mark <= "\u06ff" for row in tickets for mark in row["subject"])
    # Nothing of it is sent, now or later.
    assert {row["state"] for row in helpdesk("mail", "outbox", "--limit", "1000", "--json").json} == {"sent"}
    waiting = helpdesk("job", "list", "--state", "waiting", "--json").json
    assert {row["name"] for row in waiting} <= {"core.facts"}, "plugins hear of it, nobody else"

    again = helpdesk("demo", "--home", home, "--json")
    assert again.json == said.json
    assert len(helpdesk("ticket", "list", "--limit", "1000", "--json").json) == len(tickets)


def test_a_home_in_use_is_left_alone(helpdesk: Run) -> None:
    words = ("--role", "admin", "--password-stdin")
    assert helpdesk("user", "add", "sam@shop.example", *words, feed="a rather long pass phrase\n").status == 0
    said = helpdesk("demo")
    assert said.status == 1 and "is in use; choose another folder" in said.err
    assert helpdesk("ticket", "list", "--json").json == []
