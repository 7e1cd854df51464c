"""What plugins rely on is as it was, or changed on purpose."""

import difflib
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from helpdesk import __version__, api
from helpdesk.plugins import deprecation

ROOT = Path(__file__).parents[2]


def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("surface", ROOT / "scripts" / "surface.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_surface_is_as_it_was() -> None:
    kept = (ROOT / "tests" / "api" / "surface.txt").read_text("utf-8")
    now = program().surface()
    changes = list(difflib.unified_diff(kept.splitlines(), now.splitlines(), "as it was", "as it is", lineterm=""))
    told = "If that is meant: python scripts/surface.py (its head says the rule)"
    assert not changes, "\n".join([*changes, "", told])


def test_the_surface_shows_what_could_break_a_plugin() -> None:
    text = program().surface()
    assert (
        "def reply(ticket: Ticket, draft: MessageDraft, actor: User | None, version: int | None = None) -> Mess" in text
    )
    assert "dataclass TicketDraft\n    subject: str\n    requester_id: int" in text
    assert "class Reject(Exception)(reason: str)" in text
    assert "row Ticket\n" in text and "    requester: User\n" in text and "    number (property)\n" in text
    assert "fact message_added(ticket, message, event)" in text
    assert "helpdesk.core" not in text, "where something stands inside the desk is nobody's business"
    for name in api.__all__:
        assert name in text


# ---- what is on its way out


def test_nothing_is_kept_beyond_its_time() -> None:
    tables = (deprecation.NAMES, deprecation.HOOKS, deprecation.ARGUMENTS)
    here = tuple(int(part) for part in __version__.split(".")[:2] if part.isdigit())
    for renamed in (renamed for table in tables for renamed in table.values()):
        gone = tuple(int(part) for part in renamed.gone_in.split("."))
        assert here < gone, f"take out what goes in {renamed.gone_in}, which is replaced by {renamed.new}"


def test_an_old_name_works_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deprecation.NAMES, "answer_ticket", deprecation.Renamed("reply", "2.0"))
    with pytest.warns(DeprecationWarning, match=r"answer_ticket.*helpdesk\.api.*helpdesk 2\.0.*“reply”") as told:
        found = getattr(api, "answer_ticket")  # noqa: B009
    assert found is api.reply
    assert told[0].filename == __file__, "it points to the line of the plugin"
    with pytest.raises(ImportError):
        from helpdesk.api import never_there  # noqa: F401
