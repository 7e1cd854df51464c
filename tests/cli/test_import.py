"""`helpdesk import`: sources, counts, what could not be taken, and the status at the end."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Run = Callable[..., Said]

PLUGIN = """
import codecs, csv
from helpdesk.api import Importer, Invalid, hookimpl, requester_for

def read(file):
    for row in csv.DictReader(codecs.iterdecode(file, "utf-8-sig")):
        if row["address"] == "stop":
            raise OSError("The disk is gone.")
        yield row

def take(row):
    if not row["name"]:
        raise Invalid("name", "A person needs a name.")
    requester_for(row["address"], row["name"])
    return "created"

@hookimpl
def register_importers():
    return [Importer("people", "People as CSV", read, take, hint="Columns: address, name")]
"""


@pytest.fixture
def people(home: Path) -> None:
    """A single-file plugin that takes in people."""
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "people.py").write_text(PLUGIN)


def test_people_are_taken_in_from_a_file_or_standard_input(helpdesk: Run, people: None, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("address,name\ntom@post.example,Tom\nann@post.example,Ann Zhōu\n", encoding="utf-8")
    said = helpdesk("import", "people", str(file), "--dry-run")
    assert (said.status, said.out) == (0, "2 created. Nothing was kept: this was a dry run.\n")
    assert helpdesk("user", "list", "--json").json == []
    said = helpdesk("import", "people", str(file))
    assert (said.status, said.out, said.err) == (0, "2 created.\n", "")
    assert [row["name"] for row in helpdesk("user", "list", "--json").json] == ["Ann Zhōu", "Tom"]
    said = helpdesk("import", "people", "-", feed="address,name\nmia@post.example,Mia\n")
    assert said.out == "1 created.\n"
    written = helpdesk("audit", "export", "--action", "desk.imported", "--format", "jsonl").json
    assert [(row["subject"], row["data"]) for row in written] == [
        ("people", {"created": 2, "failed": 0}),
        ("people", {"created": 1, "failed": 0}),
    ]


def test_what_could_not_be_taken_is_told_by_number(helpdesk: Run, people: None) -> None:
    feed = "address,name\ntom@post.example,Tom\nann@post.example,\nno address,X\nstop,Y\nmia@post.example,Mia\n"
    said = helpdesk("import", "people", "-", feed=feed)
    assert (said.status, said.out) == (1, "1 created, 2 failed.\n")
    assert said.err.splitlines() == [
        "Item 2: A person needs a name.",
        "Item 3: “no address” is no e-mail address.",
        "The file could not be read on after item 3: OSError: The disk is gone.",
    ]
    said = helpdesk("import", "people", "-", "--json", feed=feed)
    assert said.status == 1
    assert said.json == [
        {
            "source": "people",
            "dry_run": False,
            "counts": {"created": 1},
            "failed": 2,
            "bad": [
                {"item": 2, "error": "A person needs a name."},
                {"item": 3, "error": "“no address” is no e-mail address."},
            ],
            "stopped": "OSError: The disk is gone.",
        }
    ]
    many = helpdesk("import", "people", "-", feed="address,name\n" + "x@post.example,\n" * 30)
    assert many.err.splitlines()[-1] == "... and 10 more." and len(many.err.splitlines()) == 21


def test_sources_are_listed(helpdesk: Run, people: None) -> None:
    sources = helpdesk("import", "--json").json
    assert {"name": "people", "label": "People as CSV", "hint": "Columns: address, name"} in sources
    names = ", ".join(source["name"] for source in sources)
    assert "People as CSV" in helpdesk("import").out
    said = helpdesk("import", "orders", "x.csv")
    assert (said.status, said.err) == (1, f"There is no source “orders”; there are: {names}.\n")
    said = helpdesk("import", "people")
    assert said.status == 1 and said.err.startswith("Name the file as well")
    said = helpdesk("import", "people", "/nowhere/people.csv")
    assert (said.status, said.err) == (1, "/nowhere/people.csv cannot be read: No such file or directory.\n")
    assert helpdesk("import", "people", "/").err == "/ cannot be read: Is a directory.\n"
    for plugin in ("people", "customers", "upsell"):
        helpdesk("plugin", "off", plugin)
    assert helpdesk("import").out == "No plugin that is on takes anything in.\n"
