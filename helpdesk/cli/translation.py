"""Language packs: ordinary gettext catalogs, the core's in translations/, each plugin's beside it."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from helpdesk.cli import catalogs
from helpdesk.cli.catalogs import Pack
from helpdesk.cli.frame import Impossible, json_option, make_app, print_result, print_rows
from helpdesk.core import catalogs as live
from helpdesk.core import i18n, packs
from helpdesk.core.config import Config, load
from helpdesk.core.packs import HOME

_owner = click.option(
    "--of", "--plugin", "owner", help="Only these catalogs: core, home, or the name of a plugin or language pack."
)


@click.group("translation")
def translation_command() -> None:
    """See, begin, collect and check translations."""


@translation_command.command("list")
@json_option
def list_languages(as_json: bool) -> None:
    """List the languages that the desk speaks, and how much of it.

    Example: helpdesk translation list
    """
    with _app():
        found = live.current()
        corrected = {source.code for source in found.sources() if source.place.kind == HOME}
        rows = [
            {
                "code": code,
                "name": name,
                "percent": _share(code),
                "direction": i18n.text_direction(code),
                "corrected": code in corrected or found.is_corrected(code),
            }
            for code, name in i18n.locales()
        ]
    print_rows(rows, ("code", "name", "percent", "direction", "corrected"), as_json, "There is no language.")


@translation_command.command()
@_owner
@json_option
def status(owner: str | None, as_json: bool) -> None:
    """Count what each catalog has: translated, fuzzy, missing.

    Example: helpdesk translation status --of core
    """
    with _app():
        rows = [_row(pack, code) for pack in _packs(owner) for code in pack.languages()]
    columns = ("of", "language", "percent", "translated", "fuzzy", "missing", "file")
    print_rows(rows, columns, as_json, "There is no catalog yet; 'helpdesk translation new CODE' begins one.")


@translation_command.command()
@click.argument("code", metavar="LOCALE")
@_owner
@click.option("--into-home", is_flag=True, help="Into the home, in a checkout as well.")
@json_option
def new(code: str, owner: str | None, into_home: bool, as_json: bool) -> None:
    """Begin the language LOCALE: in a checkout beside the others, else in the home.

    A running desk speaks it as soon as the first text of the desk itself is translated and saved.

    Example: helpdesk translation new pt_BR
    """
    made = []
    with _app():
        _check_code(code)
        spoken = i18n.match(code, [known for known, _name in i18n.locales()])
        if spoken is not None and spoken.startswith(f"{code}_"):
            raise Impossible(f"There is {spoken} already, and readers of {code} get it; go on with that one.")
        for pack in _packs(owner):
            if not pack.template.exists() or (pack.catalog(code).exists() and not into_home):
                continue
            try:
                made.append(str(catalogs.begin(pack, code, _config().paths.translations, into_home)))
            except FileExistsError:
                continue
            except ValueError as error:
                raise Impossible(str(error)) from None
    if not made:
        raise Impossible(f"The language {code} has its catalogs already; see 'helpdesk translation status'.")
    print_result({"language": code, "files": made}, "\n".join(f"Translate {file}" for file in made), as_json)


@translation_command.command()
@_owner
@json_option
def extract(owner: str | None, as_json: bool) -> None:
    """Collect the strings of a checkout into its templates (messages.pot).

    Example: helpdesk translation extract
    """
    with _app():
        rows = [{"of": pack.owner, "strings": catalogs.extract(pack)} for pack in _checkouts(owner)]
    print_rows(rows, ("of", "strings"), as_json, "Nothing was collected.")


@translation_command.command()
@_owner
@json_option
def update(owner: str | None, as_json: bool) -> None:
    """Collect the strings of a checkout and bring every catalog in line with them.

    Example: helpdesk translation update
    """
    with _app():
        rows = []
        for pack in _checkouts(owner):
            strings = catalogs.extract(pack)
            rows.append({"of": pack.owner, "strings": strings, "languages": ", ".join(catalogs.update(pack))})
    print_rows(rows, ("of", "strings", "languages"), as_json, "Nothing was collected.")


@translation_command.command("compile")
@json_option
def compile_(as_json: bool) -> None:
    """Merge and compile all catalogs now; a running desk does so by itself within two seconds of a change.

    Example: helpdesk translation compile
    """
    with _app():
        found = live.current()
        languages = [code for code, _name in i18n.locales()]
        for code in languages:
            found.translations(code)
        folder = str(found.cache)
    print_result({"folder": folder, "languages": languages}, f"Compiled {', '.join(languages)} into {folder}.", as_json)


@translation_command.command()
@_owner
@click.option("--complete", is_flag=True, help="Missing translations are problems as well.")
@json_option
def check(owner: str | None, complete: bool, as_json: bool) -> None:
    """Find what would show wrong or break a page; ends with 1 when there is something.

    Broken placeholders, missing plural forms, HTML that changed, texts too long for a button, spaces that differ,
    fuzzy and double entries, folders that are no language's.

    Example: helpdesk translation check --complete
    """
    rows: list[dict[str, Any]] = []
    with _app():
        for pack in _packs(owner):
            for code in pack.languages():
                rows += _problems(pack, code, complete)
        if owner in (None, HOME):
            rows += [_problem_row(path, problem) for path, problem in live.current().folder_problems()]
    columns = ("file", "line", "kind", "problem")
    print_rows(rows, columns, as_json, "" if as_json else "No problem was found.")
    sys.exit(1 if rows else 0)


def _share(code: str) -> int:
    """How many of the texts of the core and the plugins are not English, in whole percents rounded down."""
    texts = live.current().texts(code)
    if code == i18n.SOURCE_LOCALE or not texts:
        return 100
    return sum(1 for text in texts if text.texts is not None) * 100 // len(texts)


def _check_code(code: str) -> None:
    try:
        packs.check_code(code)
    except ValueError as error:
        raise Impossible(str(error)) from None


def _problem_row(path: Any, problem: Any) -> dict[str, Any]:
    return {"file": str(path), "line": problem.line, "kind": problem.kind, "problem": problem.sentence}


def _problems(pack: Pack, code: str, complete: bool) -> list[dict[str, Any]]:
    path = pack.catalog(code)
    found = [_problem_row(path, problem) for problem in catalogs.problems(path, code)]
    if complete and not any(problem["kind"] == "file" for problem in found):
        cover = catalogs.coverage(pack, code)
        if missing := cover.total - cover.translated - cover.fuzzy:
            sentence = f"{missing} strings are not translated"
            found.append({"file": str(path), "line": None, "kind": "missing", "problem": sentence})
    return found


def _app() -> Any:
    # No database is needed, nor does it have to be up to date: a translator has a checkout and nothing else.
    return make_app().app_context()


def _config() -> Config:
    return load()


def _packs(owner: str | None) -> Sequence[Pack]:
    found = catalogs.packs(_config())
    if owner is None:
        return found
    chosen = [pack for pack in found if pack.owner == owner]
    if not chosen:
        owners = ", ".join(dict.fromkeys(pack.owner for pack in found))
        raise Impossible(f"There are no catalogs of “{owner}”; there are {owners}.")
    return chosen


def _checkouts(owner: str | None) -> list[Pack]:
    found = [pack for pack in _packs(owner) if pack.source is not None]
    if not found:
        raise Impossible("Strings are collected from a checkout of the source; this is an installed package.")
    return found


def _row(pack: Pack, code: str) -> dict[str, Any]:
    cover = catalogs.coverage(pack, code)
    return {
        "of": pack.owner,
        "language": code,
        "percent": cover.percent,
        "translated": cover.translated,
        "fuzzy": cover.fuzzy,
        "missing": cover.total - cover.translated - cover.fuzzy,
        "file": str(pack.catalog(code)),
    }
