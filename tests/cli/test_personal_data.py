"""`helpdesk user export` and `helpdesk user erase`."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Run = Callable[..., Said]
TOM = "tom@post.example"

PLUGIN = """
from helpdesk.api import hookimpl

@hookimpl
def export_personal_data(user):
    return {"orders": [user.email]}

@hookimpl
def erase_personal_data(user):
    if user.name == "Trouble":
        raise RuntimeError("the shop is closed")
"""


@pytest.fixture(autouse=True)
def _tom(helpdesk: Run, home: Path) -> None:
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "orders.py").write_text(PLUGIN)
    words = ("--from", TOM, "--name", "Tom Ashby", "--subject", "Lock jammed", "--text", "It is stuck.")
    assert helpdesk("ticket", "open", *words).status == 0


def test_export_prints_json_or_writes_a_new_file(helpdesk: Run, tmp_path: Path) -> None:
    said = helpdesk("user", "export", TOM)
    found = json.loads(said.out)
    assert said.status == 0 and found["profile"]["name"] == "Tom Ashby"
    assert found["tickets"][0]["subject"] == "Lock jammed" and found["plugins"] == {"orders": {"orders": [TOM]}}
    file = tmp_path / "tom.json"
    said = helpdesk("user", "export", TOM, str(file))
    assert said.out == f"{file} holds all that is kept about {TOM}.\n"
    assert json.loads(file.read_text())["profile"]["email"] == TOM
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = helpdesk("user", "export", TOM, str(file))
    assert (said.status, said.err) == (1, f"{file} is there already; name a new file.\n")
    said = helpdesk("user", "export", TOM, "/nowhere/tom.json")
    assert said.status == 1 and "cannot be written" in said.err
    assert helpdesk("user", "export", "nobody@post.example").status == 1


def test_a_plugin_that_does_not_answer_is_named(helpdesk: Run, home: Path) -> None:
    (home / "plugins" / "orders.py").write_text(PLUGIN.replace("return {", "raise RuntimeError\n    return {"))
    said = helpdesk("user", "export", TOM)
    assert said.status == 1 and "The plugin orders did not say what it keeps" in said.err
    assert json.loads(said.out)["failed"] == ["orders"]


def test_erase_asks_for_the_address(helpdesk: Run) -> None:
    said = helpdesk("user", "erase", TOM, feed="yes\n")
    assert (said.status, said.out) == (1, "") and said.err.endswith("That is not the address; nothing was erased.\n")
    assert "  1 ticket of theirs\n" in said.err and "  1 message that they wrote\n" in said.err
    keep = "callbacks, career, customers, email, multilingual, orders, surveys, training, upsell"
    assert " 0 " not in said.err and f"these plugins keep: {keep}" in said.err
    assert helpdesk("user", "list", "--json").json[0]["email"] == TOM
    assert helpdesk("user", "erase", TOM, feed="").status == 1
    said = helpdesk("user", "erase", TOM, feed=f"{TOM}\n")
    assert (said.status, said.out) == (0, f"{TOM} is erased; what is left is called “Erased person 1”.\n")
    (row,) = helpdesk("user", "list", "--json").json
    assert (row["email"], row["name"], row["active"]) == (None, "Erased person 1", False)
    assert "It is stuck." not in helpdesk("ticket", "show", "1").out
    assert helpdesk("user", "erase", TOM, "--yes").status == 1, "there is nobody of that address now"
    assert helpdesk("user", "export", "#1").status == 0
    for odd in ("#", "#x", "#99", "#99999999999999999999", "#²"):
        assert helpdesk("user", "export", odd).status == 1


def test_erase_without_asking(helpdesk: Run) -> None:
    said = helpdesk("user", "erase", TOM, "--yes", "--json")
    (row,) = said.json
    assert row["erased"]["messages"] == 1 and row["left"] == {}
    keep = "callbacks, career, customers, email, multilingual, orders, surveys, training, upsell"
    assert row["plugins"] == keep.split(", ")


def test_a_plugin_that_fails_is_named_and_nothing_is_erased(helpdesk: Run, home: Path) -> None:
    (home / "plugins" / "orders.py").write_text(PLUGIN.replace("Trouble", "Tom Ashby"))
    said = helpdesk("user", "erase", TOM, "--yes")
    assert said.status == 1 and said.err.startswith("Nothing was erased. The plugin orders failed")
    assert "the shop is closed" in said.err
    assert helpdesk("user", "list", "--json").json[0]["name"] == "Tom Ashby"


def test_staff_are_not_erased_while_their_account_is_on(helpdesk: Run) -> None:
    words = ("user", "add", "sam@shop.example", "--role", "admin", "--name", "Sam", "--password-stdin")
    assert helpdesk(*words, feed="a rather long pass phrase\n").status == 0
    assert "last administrator" in helpdesk("user", "erase", "sam@shop.example", "--yes").err
