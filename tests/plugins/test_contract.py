"""Every installed plugin keeps the contract, and the contract notices who does not."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpdesk.cli.plugin_new import Wish, write
from helpdesk.cli.rules import gold, project
from helpdesk.cli.rules.finding import Case, Seen
from helpdesk.plugins.loading import ENTRY_POINTS
from helpdesk.testing.contract import PluginContract
from helpdesk.testing.plugins import modules

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.glob("plugins/*/pyproject.toml"))
# Those of this repository have the contract among their own tests.
OURS = {project.read(file.parent).name for file in SHIPPED}
OTHERS = sorted({entry.name for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)} - OURS)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_our_plugins_have_it_among_their_tests(file: Path) -> None:
    assert list(gold.contract(Case(project.read(file.parent), Seen()))) == []


if OTHERS:

    @pytest.mark.parametrize("plugin_name", OTHERS)
    class TestOthers(PluginContract):
        """Plugins that somebody has installed into this environment."""

        @pytest.fixture
        def desk_plugins(self, plugin_name: str) -> dict[str, Any]:
            return modules([plugin_name])


# What stands in a good plugin, and what spoils it.
BAD = {
    "pages.get": ('@permission_required("parcels.see")\n', ""),
    "badges": (
        "@hookimpl\ndef ticket_badges",
        "@hookimpl\ndef composer_tools(ticket):\n    import time\n\n    time.sleep(0.2)\n    return []\n\n\n"
        "@hookimpl\ndef ticket_badges",
    ),
    "loop": ("if ticket.priority", "if entries.about(ticket.requester_id) is not None and ticket.priority"),
    "fact": (
        "@hookimpl\ndef ticket_opened",
        "@hookimpl\ndef ticket_assigned(ticket):\n    1 / 0\n\n\n@hookimpl\ndef ticket_opened",
    ),
    "erase": ("    entries.forget(user.id)", "    entries.about(user.id)"),
}
CAUGHT = {
    "test_its_pages_answer_as_its_table_says",
    "test_pages_of_an_empty_desk_stand",
    "test_a_ticket_goes_its_way",
    "test_lists_ask_the_database_as_often_for_many_as_for_few",
    "test_its_places_are_filled_quickly",
    "test_it_exports_and_erases_what_it_knows_about_a_person",
    "test_its_tables_come_go_and_come_again[sqlite]",
}


@pytest.mark.slow
def test_the_contract_notices_who_breaks_it(tmp_path: Path) -> None:
    folder = write(Wish("parcels", frozenset(["page", "table", "fact", "badge"])), tmp_path)
    package = folder / "helpdesk_parcels"
    for old, new in BAD.values():
        (file,) = [path for path in (package / "__init__.py", package / "views.py") if old in path.read_text("utf-8")]
        file.write_text(file.read_text("utf-8").replace(old, new, 1), "utf-8")
    revision = package / "migrations" / "versions" / "0001_entries.py"
    revision.write_text(revision.read_text("utf-8").replace('    op.drop_table("parcels_entry")', "    pass"), "utf-8")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("HELPDESK_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "TestContract", "-rf", str(folder)],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {line.split("::")[-1].split(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert failed >= CAUGHT, done.stdout[-3000:]
