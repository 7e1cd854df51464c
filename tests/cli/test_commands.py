"""What operators do without a browser: people, teams, tickets, jobs, plugins, themes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpdesk.cli import main
from tests.cli.conftest import Said

Run = Callable[..., Said]
PASSWORD = "a rather long pass phrase\n"


@pytest.fixture
def jonas(helpdesk: Run) -> str:
    """An agent in the team Workshop."""
    email = "jonas@shop.example"
    assert helpdesk("team", "add", "Workshop").status == 0
    words = ("user", "add", email, "--name", "Jonas Adair", "--team", "Workshop", "--password-stdin")
    assert helpdesk(*words, feed=PASSWORD).status == 0
    return email


@pytest.fixture
def ticket(helpdesk: Run) -> str:
    """The number of a ticket."""
    words = ("--from", "Tom@Post.Example", "--name", "Tom Ashby", "--subject", "Lock jammed", "--text", "It is stuck.")
    said = helpdesk("ticket", "open", *words, "--json")
    assert said.status == 0, said.err
    return str(said.json[0]["number"])


# ---- people and teams


def test_people_are_added_listed_and_switched_off(helpdesk: Run, jonas: str) -> None:
    assert helpdesk("user", "list", "--role", "agent", "--json").json == [
        {"id": 1, "email": jonas, "name": "Jonas Adair", "role": "agent", "active": True}
    ]
    assert "Jonas Adair" in helpdesk("user", "list").out
    assert helpdesk("user", "disable", jonas).out == f"{jonas} is off.\n"
    assert helpdesk("user", "list", "--json").json[0]["active"] is False
    assert helpdesk("user", "disable", jonas, "--undo").out == f"{jonas} is on.\n"


def test_a_new_password_follows_the_rules(helpdesk: Run, jonas: str) -> None:
    assert helpdesk("user", "passwd", jonas, "--password-stdin", feed="another long phrase\n").status == 0
    said = helpdesk("user", "passwd", jonas, "--password-stdin", feed="short\n")
    assert (said.status, said.err) == (1, "Use 10 characters or more; several words are fine.\n")


def test_an_invitation_is_queued_for_sending(helpdesk: Run) -> None:
    assert helpdesk("user", "add", "mia@shop.example", "--invite").status == 0
    (waiting,) = helpdesk("mail", "outbox", "--json").json
    assert (waiting["kind"], waiting["address"], waiting["state"]) == ("invitation", "mia@shop.example", "waiting")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("user", "passwd", "nobody@shop.example"), "There is no user nobody@shop.example"),
        (("user", "add", "no address", "--password-stdin"), "“no address” is no e-mail address."),
        (("user", "add", "a@b.example", "--team", "Nowhere", "--password-stdin"), "There is no team “Nowhere”"),
        (("team", "add", " "), "Give the team a name."),
        (("team", "add", "Sales", "--member", "x@b.example"), "There is no user x@b.example"),
    ],
)
def test_mistakes_are_one_sentence(helpdesk: Run, words: tuple[str, ...], sentence: str) -> None:
    said = helpdesk(*words, feed=PASSWORD)
    assert said.status == 1 and said.out == ""
    assert sentence in said.err and len(said.err.splitlines()) == 1


def test_the_last_administrator_stays(helpdesk: Run) -> None:
    assert helpdesk("user", "add", "sam@shop.example", "--role", "admin", "--password-stdin", feed=PASSWORD).status == 0
    said = helpdesk("user", "disable", "sam@shop.example")
    assert said.status == 1 and "last administrator" in said.err


def test_teams_tell_how_many_wait(helpdesk: Run, jonas: str) -> None:
    assert helpdesk("team", "add", "Board", "--private", "--member", jonas).status == 0
    helpdesk("ticket", "open", "--from", "t@p.example", "--subject", "Brakes", "--text", "x", "--team", "Workshop")
    board, workshop = helpdesk("team", "list", "--json").json
    assert (board["name"], board["private"], board["members"], board["unsolved"]) == ("Board", True, "Jonas Adair", 0)
    assert (workshop["name"], workshop["unsolved"]) == ("Workshop", 1)
    assert "There is a team “board” already." in helpdesk("team", "add", "board").err


# ---- tickets


def test_a_ticket_is_opened_answered_and_solved(helpdesk: Run, jonas: str, ticket: str) -> None:
    assert helpdesk("ticket", "note", ticket, "--as", jonas, "--text", "Two are in drawer 9.").status == 0
    assert helpdesk("ticket", "reply", ticket, "--as", jonas, "--status", "pending", feed="Bring it in.\n").status == 0
    assert helpdesk("ticket", "status", ticket, "solved").out == f"#{ticket} is solved.\n"
    (shown,) = helpdesk("ticket", "show", ticket, "--json").json
    assert (shown["status"], shown["requester"], shown["email"]) == ("solved", "Tom Ashby", "tom@post.example")
    assert [(one["author"], one["visibility"], one["text"]) for one in shown["messages"]] == [
        ("Tom Ashby", "public", "It is stuck."),
        ("Jonas Adair", "internal", "Two are in drawer 9."),
        ("Jonas Adair", "public", "Bring it in.\n"),
    ]
    text = helpdesk("ticket", "show", ticket).out
    assert text.startswith(f"#{ticket} Lock jammed\nsolved, normal") and "(note)\nTwo are in drawer 9." in text
    # The answer, and whether it is solved.
    waiting = helpdesk("mail", "outbox", "--json").json
    assert sorted((one["address"], one["kind"]) for one in waiting) == [
        ("tom@post.example", "reply"),
        ("tom@post.example", "solved"),
    ]


def test_tickets_are_listed_by_what_is_asked(helpdesk: Run, jonas: str, ticket: str) -> None:
    helpdesk("ticket", "open", "--from", "x@y.example", "--subject", "Chain", "--text", "x", "--tag", "chain")
    assert [row["subject"] for row in helpdesk("ticket", "list", "--json").json] == ["Chain", "Lock jammed"]
    assert [row["subject"] for row in helpdesk("ticket", "list", "--tag", "chain", "--json").json] == ["Chain"]
    assert [row["subject"] for row in helpdesk("ticket", "list", "--text", "lock", "--json").json] == ["Lock jammed"]
    assert helpdesk("ticket", "list", "--category", "closed").out == "There are no such tickets.\n"
    assert len(helpdesk("ticket", "list", "--limit", "1", "--json").json) == 1


def test_somebody_sees_what_is_theirs(helpdesk: Run, jonas: str, ticket: str) -> None:
    helpdesk("team", "add", "Board", "--private")
    words = ("--subject", "Secret", "--text", "x", "--team", "Board", "--json")
    hidden = helpdesk("ticket", "open", "--from", "b@p.example", *words).json[0]["number"]
    assert [row["subject"] for row in helpdesk("ticket", "list", "--as", jonas, "--json").json] == ["Lock jammed"]
    said = helpdesk("ticket", "show", str(hidden), "--as", jonas)
    assert (said.status, said.err) == (1, helpdesk("ticket", "show", "999").err.replace("999", str(hidden)))
    said = helpdesk("ticket", "show", ticket, "--as", "tom@post.example")
    assert said.status == 1 and "You may not do this" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "999"), "There is no ticket #999"),
        (("status", "1", "finished"), "There is no status “finished”; there are new, open, pending"),
        (("reply", "1", "--text", "  "), "Write something first."),
        (("note", "1", "--text", "x", "--as", "ghost@shop.example"), "There is no user ghost@shop.example"),
        (("open", "--from", "nobody", "--subject", "x", "--text", "x"), "“nobody” is no e-mail address."),
        (("open", "--from", "a@b.example", "--subject", "x", "--text", "x", "--team", "No"), "There is no team “No”"),
    ],
)
def test_mistakes_with_tickets_are_one_sentence(
    helpdesk: Run, ticket: str, words: tuple[str, ...], sentence: str
) -> None:
    said = helpdesk("ticket", *words)
    assert said.status == 1 and sentence in said.err and len(said.err.splitlines()) == 1


def test_text_from_a_pipe_may_be_no_text(helpdesk: Run, ticket: str) -> None:
    assert helpdesk("ticket", "note", ticket, feed=b"caf\xe9 \x00 broken").status == 0
    (shown,) = helpdesk("ticket", "show", ticket, "--json").json
    assert shown["messages"][-1]["text"] == "caf\ufffd \ufffd broken"


# ---- plugins and themes


def test_plugins_are_switched_off_and_on(helpdesk: Run) -> None:
    (email,) = [row for row in helpdesk("plugin", "list", "--json").json if row["name"] == "email"]
    assert email["state"] == "on" and email["version"] and email["summary"]
    assert helpdesk("plugin", "off", "email").out == "email is off.\n"
    assert helpdesk("plugin", "off", "email").out == "email is off already.\n"
    (info,) = helpdesk("plugin", "info", "email", "--json").json
    assert info["state"] == "off" and "register_channels" in info["hooks"] and info["adds"]["channels"] == 1
    assert helpdesk("plugin", "on", "email", "--json").json == [{"name": "email", "state": "on", "changed": True}]
    assert "There is no plugin “ghost”" in helpdesk("plugin", "on", "ghost").err


def test_a_plugin_that_fails_is_named_and_the_rest_runs(helpdesk: Run, home: Path) -> None:
    (home / "plugins" / "broken.py").write_text("import nothing_of_that_name\n")
    (row,) = [row for row in helpdesk("plugin", "list", "--json").json if row["name"] == "broken"]
    assert row["state"] == "failed" and "nothing_of_that_name" in row["error"]
    said = helpdesk("plugin", "on", "broken")
    assert said.status == 1 and "could not be loaded" in said.err


def test_a_plugin_brings_commands(helpdesk: Run, home: Path) -> None:
    (home / "plugins" / "greeter.py").write_text(
        "import click\n"
        "from helpdesk.api import Command, Ticket, db, hookimpl\n"
        "@click.command()\n"
        "@click.argument('name')\n"
        "def greet(name):\n"
        "    '''Greet. Example: helpdesk greeter greet Tom'''\n"
        "    click.echo(f'Hello {name}, {db.session.query(Ticket).count()} tickets')\n"
        "@hookimpl\n"
        "def register_commands():\n"
        "    return [Command(greet)]\n"
    )
    assert helpdesk("greeter", "greet", "Tom").out == "Hello Tom, 0 tickets\n"
    assert "Greet." in helpdesk("greeter", "--help").out
    said = helpdesk("nothing", "here")
    assert said.status == 2 and "No such command 'nothing'" in said.err


def test_a_theme_is_chosen(helpdesk: Run) -> None:
    assert {row["name"] for row in helpdesk("theme", "list", "--json").json} >= {"default", "ember"}
    assert helpdesk("theme", "use", "ember").status == 0
    assert [row["name"] for row in helpdesk("theme", "list", "--json").json if row["used"]] == ["ember"]
    said = helpdesk("theme", "use", "neon")
    assert said.status == 1 and "There is no theme “neon”; there are default, ember" in said.err


# ---- the frame


def test_a_home_without_a_database_says_what_to_do(helpdesk: Run, tmp_path: Path) -> None:
    said = helpdesk("ticket", "list")
    assert said.status == 0
    said = helpdesk("init", "--home", f"{tmp_path}/fresh")
    assert said.status == 0 and f"The home is {tmp_path}/fresh" in said.out and "/setup/" in said.out


def test_an_old_database_must_be_upgraded_first(helpdesk: Run) -> None:
    assert helpdesk("db", "downgrade", "base", "--yes").status == 0
    said = helpdesk("ticket", "list")
    assert said.status == 1 and "run 'helpdesk init'" in said.err
    assert helpdesk("db", "current", "--json").json[0]["database"] is None
    assert "core: nothing ->" in helpdesk("db", "upgrade").out
    assert helpdesk("db", "upgrade").out == "The database is up to date.\n"
    assert helpdesk("ticket", "list").status == 0


def test_a_traceback_is_for_those_who_ask(helpdesk: Run) -> None:
    said = helpdesk("ticket", "show", "5")
    assert "Traceback" not in said.err
    with pytest.raises(Exception, match="There is no ticket #5"):
        CliRunner().invoke(main, ["--debug", "ticket", "show", "5"], catch_exceptions=False)


def test_sentences_of_the_core_are_in_the_language_of_the_terminal(
    helpdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "translations" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Give the team a name."\nmsgstr "Geben Sie dem Team einen Namen."\n'
    )
    # They win over LANG, and another test or the machine may have set them.
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert helpdesk("team", "add", " ").err == "Geben Sie dem Team einen Namen.\n"
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert helpdesk("team", "add", " ").err == "Give the team a name.\n"
