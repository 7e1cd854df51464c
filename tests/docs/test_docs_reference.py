"""Every hook, name, setting and command is documented, and nothing is that does not exist."""

import ast
import importlib.util
import inspect
import re
from dataclasses import fields
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest
from flask.testing import FlaskClient

from helpdesk import api
from helpdesk.core.config import Config
from helpdesk.core.paths import Home
from helpdesk.plugins import hookspecs

ROOT = Path(__file__).parents[2]
HOOKS = sorted(hookspecs.KINDS)


def reference() -> ModuleType:
    """The program that writes the pages."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = reference()


@pytest.mark.parametrize("place", REFERENCE.PAGES)
def test_pages_written_from_the_code_are_current(place: str) -> None:
    written = (ROOT / place).read_text("utf-8")
    assert written == REFERENCE.PAGES[place](), f"{place} is old: run python scripts/reference.py"


def test_every_specification_has_a_kind_that_is_explained() -> None:
    marked = {name for name, found in vars(hookspecs).items() if hasattr(found, f"{hookspecs.PROJECT}_spec")}
    assert marked == set(HOOKS)
    assert set(hookspecs.KINDS.values()) <= set(REFERENCE.KINDS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_says_when_it_is_called(hook: str) -> None:
    text, _example = REFERENCE.split_docstring(inspect.getdoc(getattr(hookspecs, hook)))
    assert re.search(r"\b([Cc]alled|Asked)\b", text), "its docstring must say when it is called"
    for other in re.findall(r":func:`(\w+)`", text):
        assert other in HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_implements_it(hook: str) -> None:
    specification = getattr(hookspecs, hook)
    _text, example = REFERENCE.split_docstring(inspect.getdoc(specification))
    # What stands before it is what it needs.
    function = ast.parse(example).body[-1]
    assert isinstance(function, ast.FunctionDef) and function.name == hook
    assert [ast.unparse(decorator) for decorator in function.decorator_list] == ["hookimpl"]
    assert {argument.arg for argument in function.args.args} <= set(inspect.signature(specification).parameters)
    assert 3 <= len(example.splitlines()) <= 8


def first_column(page: Path) -> list[str]:
    """The name at the start of each row of the page's tables, without arguments."""
    return re.findall(r"^\| `(\w+)(?:\([^`]*\))?` \|", page.read_text("utf-8"), re.MULTILINE)


def test_every_name_of_the_api_is_documented_once() -> None:
    assert sorted(first_column(ROOT / "docs" / "plugins" / "api.md")) == sorted(api.__all__)


def test_signatures_in_the_list_of_names_are_true() -> None:
    text = (ROOT / "docs" / "plugins" / "api.md").read_text("utf-8")
    for name, arguments in re.findall(r"^\| `(\w+)\(([^`]+)\)` \|", text, re.MULTILINE):
        if name == "settings":
            continue
        known = inspect.signature(getattr(api, name)).parameters
        for argument in arguments.split(", "):
            assert argument.split("=")[0].lstrip("*") in known, f"{name} takes no {argument}"


def test_every_setting_of_an_operator_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "install.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.MULTILINE))
    known = {field.name: field.default for field in fields(Config) if field.name not in ("home", "testing")}
    shown = {name: f"`{default}`" if default != "" else "empty" for name, default in known.items()}
    assert rows == {name: value.replace("False", "false").replace("True", "true") for name, value in shown.items()}


def test_what_lies_in_the_home_is_documented() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    rows = {name.rstrip("/") for name in re.findall(r"^\| `([\w.-]+/?)` \|", text, re.MULTILINE)}
    home = Home(ROOT / "home")
    paths = {name: getattr(home, name) for name, found in vars(Home).items() if isinstance(found, property)}
    places = [path for path in paths.values() if isinstance(path, Path)]
    assert {path.relative_to(home.root).parts[0] for path in places} <= rows


def test_the_folders_of_tests_that_are_described_are_there() -> None:
    rows = set(re.findall(r"^\| `(\w+)/` \|", (ROOT / "tests" / "README.md").read_text("utf-8"), re.MULTILINE))
    assert rows <= {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} and "core" in rows


def test_every_room_of_the_administration_is_described(as_admin: FlaskClient) -> None:
    page = as_admin.get("/admin/").data.decode()
    rooms = [unescape(title) for title in re.findall(r'<h2 class="grow">(.*?)</h2>', page)]
    text = (ROOT / "docs" / "use.md").read_text("utf-8")
    assert rooms and [room for room in rooms if f"\n| {room} | " not in text] == []
