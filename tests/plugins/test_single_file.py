"""Plugins of one file in the home: found, refused with a sentence, changed, taken away."""

import sys
from pathlib import Path
from typing import Any

import pytest

from helpdesk.plugins import manager as machinery

GREETS = """
from dataclasses import dataclass

from helpdesk.api import Panel, SettingsGroup, hookimpl, lazy_gettext, setting, tag

@dataclass(frozen=True)
class GreetsSettings:
    word: str = setting("Hello", lazy_gettext("Word"))

@hookimpl
def register_settings():
    return [SettingsGroup("greets", lazy_gettext("Greetings"), GreetsSettings)]

@hookimpl
def ticket_opened(ticket):
    tag(ticket, ["greeted"], None)
"""
BAD = {
    "my-plugin": ("", "cannot be a plugin's name"),
    "Capital": ("", "cannot be a plugin's name"),
    "admin": ("", "cannot be a plugin's name"),
    "x": ("", "cannot be a plugin's name"),
    "unclosed": ("numbers = (1,\n", "line 1"),
    "binary": ("\x00", "null bytes"),
    "raises": ("raise OSError('no disk')\n", "OSError: no disk"),
    "exits": ("import sys; sys.exit(0)\n", "SystemExit"),
    "misspells": ("from helpdesk.api import hookimpl\n@hookimpl\ndef ticket_openend(ticket): pass\n", "ticket_openend"),
    "imports": ("import nothing_of_that_name\n", "nothing_of_that_name"),
}


@pytest.fixture
def folder(home: Path) -> Path:
    (home / "plugins").mkdir(exist_ok=True)
    return home / "plugins"


@pytest.fixture
def desk_plugins() -> None:
    """The installed ones, and the files in the home."""


def plugins(app: Any) -> dict[str, Any]:
    found: dict[str, Any] = app.extensions[machinery.EXTENSION].plugins
    return found


def names(ticket: Any) -> list[str]:
    return [tag.name for tag in ticket.tags]


@pytest.fixture
def greets(folder: Path) -> Path:
    """The file, there before the desk starts."""
    file = folder / "greets.py"
    file.write_text(GREETS)
    return file


def test_its_hooks_are_called_and_its_settings_have_a_form(
    greets: Path, app: Any, as_admin: Any, make_ticket: Any, run_jobs: Any
) -> None:
    plugin = plugins(app)["greets"]
    assert plugin.loaded and plugin.path == greets and "greets.py" in plugin.summary
    ticket = make_ticket()
    run_jobs()
    assert names(ticket) == ["greeted"]
    assert "Greetings" in as_admin.get("/admin/settings/greets").text


@pytest.mark.parametrize("name", BAD)
def test_one_that_cannot_be_loaded_is_a_sentence_and_the_others_work(
    greets: Path, folder: Path, make_app: Any, name: str
) -> None:
    source, words = BAD[name]
    (folder / f"{name}.py").write_text(source)
    app = make_app(None)
    assert words in plugins(app)[name].error and plugins(app)["greets"].loaded
    assert app.test_client().get("/auth/sign-in").status_code == 200


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to(path / "nowhere")])
def test_what_is_no_file_is_a_sentence(folder: Path, make_app: Any, make: Any) -> None:
    make(folder / "odd.py")
    app = make_app(None)
    assert plugins(app)["odd"].error and app.test_client().get("/auth/sign-in").status_code == 200
    assert "helpdesk_local_odd" not in sys.modules, "nothing is left of it"


def test_an_installed_plugin_keeps_its_name(folder: Path, make_app: Any) -> None:
    (folder / "email.py").write_text(GREETS.replace("greets", "email"))
    app = make_app(None)
    assert plugins(app)["email"].loaded and plugins(app)["email"].distribution == "helpdesk-email"


def test_a_changed_file_counts_after_the_next_start(greets: Path, make_app: Any) -> None:
    assert plugins(make_app(None))["greets"].loaded
    greets.write_text("nothing = (\n# more than before\n")
    assert "SyntaxError" in plugins(make_app(None))["greets"].error
    greets.write_text(GREETS + "# mended\n")
    assert plugins(make_app(None))["greets"].loaded


def test_a_deleted_file_is_gone_and_what_it_saved_stays(greets: Path, make_app: Any) -> None:
    from helpdesk.core import settings

    app = make_app(None)
    with app.app_context():
        group = settings.group("greets")
        assert group is not None
        settings.save(group.model, {"word": "Good day"}, None)
    greets.unlink()
    app = make_app(None)
    with app.app_context():
        assert "greets" not in plugins(app) and settings.group("greets") is None
    assert app.test_client().get("/auth/sign-in").status_code == 200
    greets.write_text(GREETS + "# back\n")
    with make_app(None).app_context():
        group = settings.group("greets")
        assert group is not None and getattr(settings.get(group.model), "word", "") == "Good day"


def test_safe_mode_leaves_it_out(greets: Path, make_app: Any) -> None:
    assert "greets" not in plugins(make_app(None, safe_mode=True))
