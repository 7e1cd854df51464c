"""`helpdesk plugin new`: writes a plugin that works, for its author to change."""

import ast
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpdesk import api
from helpdesk.cli import catalogs, plugin_strings
from helpdesk.cli.frame import Impossible
from helpdesk.cli.rules import project, strings
from helpdesk.plugins.manager import PluginError, check_name

SCAFFOLD = Path(project.__file__).parents[2] / "plugins" / "scaffold"
# The language that a new plugin is translated into besides English: the one that the desk itself speaks.
LANGUAGE = "zh_Hans"

# What a plugin can add: how it is asked for, and how its README says it.
PIECES = {
    "settings": "settings for the owner",
    "panel": "a box beside each ticket",
    "page": "a page of its own, in the main navigation",
    "table": "a table of its own, with its migration",
    "fact": "something that happens after a ticket was opened",
    "job": "work for later",
    "schedule": "work that comes again",
    "field": "a field of tickets",
    "badge": "a word on tickets in lists",
    "action": "an entry in the menu of a ticket",
    "report": "a report",
    "widget": "a box on the dashboard",
    "portal": "a box on the customers' start page",
    "importer": "a source for imports",
    "command": "a command for operators",
    "hook": "a hook for other plugins",
    "suggestion": "answers that agents may start from",
    "composer": "a button of the composer",
}
USUAL = "settings,panel"

# File of the scaffold -> where it goes, and the pieces of which one at least must be wanted (none: always).
_PAGES = "page action composer"
_FILES = {
    "pyproject.toml": ("pyproject.toml", ""),
    "setup.cfg": ("setup.cfg", ""),
    "gitignore": (".gitignore", ""),
    "README.md": ("README.md", ""),
    "CHANGELOG.md": ("CHANGELOG.md", ""),
    "package/__init__.py": ("{package}/__init__.py", ""),
    "package/options.py": ("{package}/options.py", "settings"),
    "package/views.py": ("{package}/views.py", _PAGES),
    "package/access.toml": ("{package}/access.toml", _PAGES),
    "package/models.py": ("{package}/models.py", "table"),
    "package/entries.py": ("{package}/entries.py", "table"),
    "package/migration.py": ("{package}/migrations/versions/0001_entries.py", "table"),
    "package/tickets.py": ("{package}/tickets.py", "widget"),
    "package/jobs.py": ("{package}/jobs.py", "job"),
    "package/reports.py": ("{package}/reports.py", "report"),
    "package/customers.py": ("{package}/customers.py", "importer"),
    "package/commands.py": ("{package}/commands.py", "command"),
    "package/hooks.py": ("{package}/hooks.py", "hook"),
    "package/templates/panel.html": ("{package}/templates/{name}/panel.html", "panel"),
    "package/templates/page.html": ("{package}/templates/{name}/page.html", "page"),
    "package/templates/widget.html": ("{package}/templates/{name}/widget.html", "widget"),
    "package/templates/portal.html": ("{package}/templates/{name}/portal.html", "portal"),
    "package/templates/words.html": ("{package}/templates/{name}/words.html", "composer"),
    "tests/test_plugin.py": ("tests/test_{name}.py", ""),
}
# The modules that __init__.py and the tests name, and the pieces that need them.
_MODULES = {
    "commands": "command",
    "customers": "importer",
    "entries": "panel+table fact+table table",
    "jobs": "job",
    "reports": "report",
    "tickets": "widget",
    "views": _PAGES,
}
_TESTED = {"commands": "command", "customers": "importer", "entries": "table", "hooks": "hook", "reports": "report"}
_MARK = "@helpdesk.api@\n"
_WIDTH = 120


@dataclass(frozen=True)
class Wish:
    """What somebody wants written."""

    name: str
    adds: frozenset[str]
    author: str = ""
    summary: str = ""

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()

    def words(self) -> dict[str, Any]:
        """What the files of the scaffold know."""
        package = f"helpdesk_{self.name}"
        added = [text for piece, text in PIECES.items() if piece in self.adds]
        return {
            "name": self.name,
            "adds": self.adds,
            "wants": lambda pieces: _any(pieces, self.adds),
            "author": _quotable(self.author),
            "title": self.title,
            "camel": "".join(part.title() for part in self.name.split("_")),
            "package": package,
            "distribution": package.replace("_", "-"),
            "summary": _quotable(self.summary) or f"{self.title} for the help desk.",
            "added": _joined(added) or "nothing yet",
            "modules": ", ".join(name for name, pieces in _MODULES.items() if _any(pieces, self.adds)),
            "tested": ", ".join(name for name, pieces in _TESTED.items() if _any(pieces, self.adds)),
        }


@click.command("new")
@click.argument("name", required=False)
@click.option("--with", "wanted", metavar="PIECE,...", help=f"What it adds, with commas between: {', '.join(PIECES)}.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write it in.")
@click.option("--author", default="", help="Your name, for its pyproject.toml.")
@click.option("--summary", default="", help="What it is for, in one sentence.")
def new(name: str | None, wanted: str | None, into: Path, author: str, summary: str) -> None:
    """Write a plugin that works: with tests, translations and a README, ready to be changed.

    Asks for what is not given.

    Example: helpdesk plugin new orders --with settings,panel,page,table
    """
    if name is None:
        click.echo("A plugin's name prefixes all that it adds: small letters, digits and underscores.")
        name = str(click.prompt("Name", default="orders", value_proc=_asked(_name)))
    _name(name)
    _refuse_taken(_folder(name, into))
    if wanted is None:
        click.echo("What does it add?")
        for piece, text in PIECES.items():
            click.echo(f"  {piece:<11} {text}")
        wanted = " ".join(click.prompt("Pieces, with commas between", default=USUAL, value_proc=_asked(_pieces)))
    folder = write(Wish(name, frozenset(_pieces(wanted)), author.strip(), summary.strip()), into)
    place = folder.as_posix() if folder.is_absolute() else f"./{folder.as_posix()}"
    click.echo(f"Wrote {place}. Go on with:")
    click.echo(f"  pytest {place}")
    click.echo(f"  helpdesk plugin check {place}")
    click.echo(f"  helpdesk plugin install {place}")


def write(wish: Wish, into: Path) -> Path:
    """Write the distribution into a new folder in ``into``; answers it. Raises :class:`Impossible`, PluginError."""
    check_name(wish.name)
    words = wish.words()
    folder = _folder(wish.name, into)
    _refuse_taken(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise Impossible(f"{folder} cannot be made: {error.strerror}; say --into with a folder of yours.") from error
    for source, (target, pieces) in _FILES.items():
        if not pieces or _any(pieces, wish.adds):
            file = folder / target.format(**words)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_rendered(source, words), "utf-8")
    _write_catalogs(project.read(folder), words)
    return folder


def _folder(name: str, into: Path) -> Path:
    return into / f"helpdesk-{name.replace('_', '-')}"


def _refuse_taken(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise Impossible(f"{folder} is there already; choose another name, or remove it first.")


def _name(text: str) -> str:
    check_name(text)
    return text


def _asked(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Ask again after an answer that cannot be used."""

    def understand(text: str) -> Any:
        try:
            return read(text.strip())
        except (Impossible, PluginError) as error:
            raise click.UsageError(str(error)) from error

    return understand


def _pieces(text: str) -> list[str]:
    """The pieces that are named, with those that they need. Raises :class:`Impossible`."""
    named = [word for word in re.split(r"[,\s]+", text.lower()) if word]
    for word in named:
        if word not in PIECES:
            raise Impossible(f"“{word}” is nothing that a plugin adds; choose from {', '.join(PIECES)}.")
    return sorted({*named, *(["job"] if "schedule" in named else [])})


def _any(pieces: str, adds: frozenset[str]) -> bool:
    """Whether one of ``pieces`` is wanted; "a+b" stands for both together."""
    return any(adds.issuperset(piece.split("+")) for piece in pieces.split())


def _quotable(text: str) -> str:
    """On one line, without what would end a string of TOML or Python."""
    kept = (letter if letter.isprintable() and letter not in '\\"' else " " for letter in text)
    return " ".join("".join(kept).split())


def _joined(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def _rendered(source: str, words: dict[str, Any]) -> str:
    text = _environment().get_template(f"{source}.jinja").render(words)
    if source.endswith(".py"):
        text = text.replace(_MARK, _imports(text))
    # What is left out leaves its empty lines behind.
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n") + "\n"


def _environment() -> Environment:
    """Jinja with marks of its own: what is written has Jinja's usual ones in it."""
    return Environment(  # nosec B701 # what it writes is Python and Markdown
        loader=FileSystemLoader(SCAFFOLD),
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )


def _imports(text: str) -> str:
    """The import of what a module uses of ``helpdesk.api``, as a formatter would write it."""
    used = {node.id for node in ast.walk(ast.parse(text.replace(_MARK, ""))) if isinstance(node, ast.Name)}
    names = sorted(used & set(api.__all__), key=_import_order)
    line = f"from helpdesk.api import {', '.join(names)}\n" if names else ""
    if len(line) > _WIDTH + 1:
        line = "from helpdesk.api import (\n" + textwrap.indent(",\n".join(names) + ",\n", "    ") + ")\n"
    lazy = "from helpdesk.api import lazy_gettext as _l\n" if "_l" in used else ""
    return lazy + line if names and _import_order("lazy_gettext") < _import_order(names[0]) else line + lazy


def _import_order(name: str) -> tuple[bool, bool, str]:
    """Constants, classes, functions."""
    return not name.isupper(), not name[0].isupper(), name


def _write_catalogs(made: project.Project, words: dict[str, Any]) -> None:
    """The template of the strings that were written, and a complete catalog beside it."""
    template = strings.collect(made)
    if not len(template):
        return
    known = read_po(BytesIO(_rendered(f"translations/{LANGUAGE}.po", words).encode()), locale=LANGUAGE)
    catalog = Catalog(locale=LANGUAGE, project=made.distribution, version=made.version, charset="utf-8", fuzzy=False)
    for message in template:
        if message.id:
            translated = known.get(message.id)
            catalog.add(message.id, translated.string if translated else "", locations=message.locations)
    pack = catalogs.Pack(made.name, made.source / "translations")
    plugin_strings.write(template, pack.template)
    plugin_strings.write(catalog, pack.catalog(LANGUAGE))
