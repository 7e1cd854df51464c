"""`helpdesk plugin strings`: collects the strings of a plugin that is worked on into its catalogs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from helpdesk.cli import catalogs
from helpdesk.cli.frame import Impossible, json_option, print_rows
from helpdesk.cli.rules import project
from helpdesk.cli.rules.strings import collect
from helpdesk.core import packs


@click.command("strings")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--language", "languages", multiple=True, help="Begin this language as well, such as de or pt_BR.")
@json_option
def strings(folder: Path, languages: tuple[str, ...], as_json: bool) -> None:
    """Collect the strings of the plugin in FOLDER and bring its catalogs in line with them.

    What was translated stays; what is new waits for its translation in translations/LANGUAGE/LC_MESSAGES/messages.po.

    Example: helpdesk plugin strings ./helpdesk-orders --language de
    """
    try:
        found = project.read(folder)
        for code in languages:
            packs.check_code(code)
    except (project.NoProject, ValueError) as error:
        raise Impossible(str(error)) from None
    rows = [
        {"language": code, "strings": len(catalog), "missing": missing, "file": str(file)}
        for code, catalog, missing, file in _bring_in_line(found, languages)
    ]
    print_rows(rows, ("language", "strings", "missing", "file"), as_json, "It has no strings, or no language yet.")


def write(catalog: Catalog, file: Path) -> None:
    """Write a catalog as ours look: sorted by file, without lines that every change would move."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        write_po(target, catalog, width=110, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


def _bring_in_line(found: project.Project, languages: tuple[str, ...]) -> Iterator[tuple[str, Catalog, int, Path]]:
    template = collect(found)
    pack = catalogs.Pack(found.name, found.source / "translations")
    if len(template):
        write(template, pack.template)
    for code in sorted({*pack.languages(), *(languages if len(template) else ())}):
        file = pack.catalog(code)
        catalog = catalogs.read(file, code) if file.exists() else _begun(found, code)
        catalog.update(template, no_fuzzy_matching=True)
        write(catalog, file)
        missing = len([message for message in catalog if message.id and not _is_full(message.string)])
        yield code, catalog, missing, file


def _begun(found: project.Project, code: str) -> Catalog:
    now = datetime.now(UTC)
    return Catalog(code, project=found.distribution, version=found.version, creation_date=now, fuzzy=False)


def _is_full(text: str | list[str] | tuple[str, ...] | None) -> bool:
    return bool(text) if text is None or isinstance(text, str) else all(text)
