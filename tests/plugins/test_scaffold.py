"""`helpdesk plugin new` writes a plugin that works as it is, whatever it is asked for."""

import os
import subprocess
import sys
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from helpdesk.cli import main
from helpdesk.cli.frame import Impossible
from helpdesk.cli.plugin_new import LANGUAGE, PIECES, Wish, write
from helpdesk.cli.rules import project
from helpdesk.plugins.manager import PluginError

# Each alone, all together, nothing at all, and some that meet in one file.
MIXES = [
    *((piece,) for piece in PIECES),
    tuple(PIECES),
    (),
    ("settings", "panel"),
    ("table", "panel"),
    ("table", "page"),
    ("table", "fact"),
    ("action", "composer"),
]


def written(into: Path, name: str, *pieces: str) -> Path:
    needed = {"schedule": ("job",)}
    return write(Wish(name, frozenset([*pieces, *(more for piece in pieces for more in needed.get(piece, ()))])), into)


def new(*words: str, feed: str = "", env: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(main, ["plugin", "new", *words], input=feed, prog_name="helpdesk", env=env)


# ---- what is asked and refused


def test_it_asks_for_the_name_and_what_to_add_and_says_how_to_go_on(tmp_path: Path) -> None:
    said = new("--into", str(tmp_path), feed="Orders\nadmin\nparcels\nwings\npanel, badge\n")
    assert said.exit_code == 0, said.output
    assert "“Orders” cannot be a plugin's name" in said.output and "“admin” cannot be" in said.output
    assert "“wings” is nothing that a plugin adds" in said.output
    folder = tmp_path / "helpdesk-parcels"
    assert [line.strip() for line in said.output.splitlines()[-3:]] == [
        f"pytest {folder}",
        f"helpdesk plugin check {folder}",
        f"helpdesk plugin install {folder}",
    ]
    assert (folder / "helpdesk_parcels" / "templates" / "parcels" / "panel.html").exists()


def test_it_takes_what_is_usual_when_nothing_is_typed(tmp_path: Path) -> None:
    assert new("--into", str(tmp_path), feed="\n\n").exit_code == 0
    source = (tmp_path / "helpdesk-orders" / "helpdesk_orders" / "__init__.py").read_text("utf-8")
    assert "register_settings" in source and "ticket_panels" in source


@pytest.mark.parametrize("name", ["a", "Orders", "../orders", "orders/x", "core", "1st", "x" * 41, "or ders", ".", ""])
def test_a_name_is_checked_before_it_touches_a_path(tmp_path: Path, name: str) -> None:
    said = new(name, "--with", "panel", "--into", str(tmp_path / "inside"))
    assert said.exit_code == 1 and "cannot be a plugin's name" in said.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(PluginError):
        write(Wish(name, frozenset()), tmp_path / "inside")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "helpdesk-orders"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    said = new("orders", "--with", "panel", "--into", str(tmp_path))
    assert said.exit_code == 1 and "is there already" in said.stderr
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = new("orders", "--with", "panel", "--into", str(tmp_path / "file" / "below"))
    assert said.exit_code == 1 and "cannot be made" in said.stderr


def test_a_piece_that_there_is_not_is_named(tmp_path: Path) -> None:
    said = new("orders", "--with", "panel,wings", "--into", str(tmp_path))
    assert said.exit_code == 1 and "“wings” is nothing that a plugin adds; choose from settings, panel" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_author_and_summary_cannot_break_what_is_written(tmp_path: Path) -> None:
    wish = Wish("orders", frozenset(["panel"]), 'Ann "A"\n\\ Ämter\x00', 'Shows """orders"""\\.')
    folder = write(wish, tmp_path)
    about = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert about["authors"] == [{"name": "Ann A Ämter"}] and about["description"] == "Shows orders ."
    compile((folder / "helpdesk_orders" / "__init__.py").read_text("utf-8"), "__init__.py", "exec")


# ---- what is written


@pytest.mark.parametrize("pieces", MIXES, ids=lambda pieces: "+".join(pieces)[:40] or "nothing")
def test_only_what_was_chosen_is_written_and_every_string_is_translated(
    tmp_path: Path, pieces: tuple[str, ...]
) -> None:
    folder = written(tmp_path, "order_lines", *pieces)
    found = project.read(folder)
    assert (found.name, found.package) == ("order_lines", "helpdesk_order_lines")
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert ("models.py" in names) == ("table" in pieces) == ("0001_entries.py" in names)
    assert ("views.py" in names) == bool({"page", "action", "composer"} & set(pieces))
    catalog = found.source / "translations" / LANGUAGE / "LC_MESSAGES" / "messages.po"
    for message in read_po(BytesIO(catalog.read_bytes()), locale=LANGUAGE) if catalog.exists() else ():
        assert message.id == "" or message.string and all(message.string), f"{message.id!r} is not translated"
    for path in folder.rglob("*"):
        if path.is_file():
            assert not {"<<", "<%", "@helpdesk.api@"} & set(path.read_text("utf-8").split()), path


@pytest.mark.slow
def test_what_is_written_is_in_the_agreed_form(tmp_path: Path) -> None:
    for number, pieces in enumerate(MIXES):
        written(tmp_path, f"mix_{number}", *pieces)
    ruff = Path(sys.executable).with_name("ruff")
    for words in (["check", "--select", "B,E,F,I,UP,W"], ["format", "--check"]):
        done = subprocess.run([ruff, *words, "--no-cache", tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_each_piece_alone_passes_its_tests(tmp_path: Path) -> None:
    folders = [written(tmp_path, f"only_{piece}", piece) for piece in PIECES]
    done = in_a_process(
        ["-m", "pytest", "-q", "-p", "helpdesk.testing", "-W", "error", "-k", "not TestContract"]
        + ["--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:randomly", *map(str, folders)],
        tmp_path,
        folders,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.slow
def test_all_pieces_together_are_gold(tmp_path: Path) -> None:
    folder = written(tmp_path, "orders", *PIECES)
    words = ["-m", "helpdesk.cli", "plugin", "check", str(folder), "--level", "gold"]
    done = in_a_process(words, tmp_path, [])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "orders 0.1.0: gold" in done.stdout


@pytest.mark.slow
def test_they_load_beside_one_another(tmp_path: Path) -> None:
    folders = [written(tmp_path, f"beside_{piece}", piece) for piece in PIECES]
    look = (
        "import importlib, os, sys; from pathlib import Path\n"
        "from helpdesk.app import create_app; from helpdesk.core.config import Config\n"
        "names = sys.argv[1:]\n"
        "modules = {name: importlib.import_module('helpdesk_' + name) for name in names}\n"
        "app = create_app(Config(home=Path(os.environ['HELPDESK_HOME']), testing=True), plugins=modules)\n"
        "errors = {plugin.name: plugin.error for plugin in app.extensions['helpdesk.plugins'].plugins.values()}\n"
        "assert errors == dict.fromkeys(names, ''), errors\n"
    )
    done = in_a_process(["-c", look, *(f"beside_{piece}" for piece in PIECES)], tmp_path, folders)
    assert done.returncode == 0, done.stderr


def in_a_process(words: list[str], folder: Path, paths: list[Path]) -> subprocess.CompletedProcess[str]:
    """Python, with these folders as if their plugins were installed."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("HELPDESK_", "PYTEST_"))}
    environ |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), "HELPDESK_HOME": str(folder / "home")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_write_says_what_is_in_the_way(tmp_path: Path) -> None:
    write(Wish("orders", frozenset()), tmp_path)
    with pytest.raises(Impossible, match="is there already"):
        write(Wish("orders", frozenset()), tmp_path)
