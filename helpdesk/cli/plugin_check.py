"""`helpdesk plugin check`: how good a plugin is, by rules that a machine can hold."""

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from helpdesk.cli.frame import Impossible, json_option, print_result
from helpdesk.cli.rules import bronze, gold, project, silver, trying
from helpdesk.cli.rules.finding import BRONZE, GOLD, LEVELS, SILVER, Case, Finding, Rule
from helpdesk.plugins.manager import PluginError, check_name

RULES: dict[str, tuple[Rule, ...]] = {BRONZE: bronze.RULES, SILVER: silver.RULES, GOLD: gold.RULES}


@click.command("check")
@click.argument("plugin", default=".")
@click.option(
    "--level", type=click.Choice(LEVELS), default=BRONZE, help="The level that is wanted: else it ends with 1."
)
@click.option("--without-tests", is_flag=True, help="Do not run the plugin's tests: they are run elsewhere.")
@json_option
def check(plugin: str, level: str, without_tests: bool, as_json: bool) -> None:
    """Check a plugin: bronze, silver or gold, and what is missing for the next level.

    PLUGIN is a folder with a pyproject.toml (default: the current one), or the name of a plugin that is installed from
    such a folder. It ends with 1 when the wanted level is not reached. docs/plugins/quality.md lists the rules.

    Example: helpdesk plugin check ./helpdesk-orders --level gold
    """
    found = _project(plugin)
    case = Case(found, trying.seen(found), None if without_tests else trying.tried(found))
    findings = {name: list(_findings(name, case)) for name in LEVELS}
    reached = level_of(findings)
    row = {
        "name": found.name,
        "version": found.version,
        "level": reached,
        "tests": None if case.tried is None else case.tried.passed,
        "findings": [_row(name, one) for name in LEVELS for one in findings[name]],
    }
    print_result(row, "\n".join(_lines(found, case, findings, reached)), as_json)
    if level not in LEVELS[: LEVELS.index(reached) + 1 if reached else 0]:
        sys.exit(1)


def level_of(findings: dict[str, list[Finding]]) -> str | None:
    """The highest level below which nothing was found."""
    reached = None
    for name in LEVELS:
        if findings[name]:
            break
        reached = name
    return reached


def _findings(level: str, case: Case) -> Iterator[Finding]:
    for rule in RULES[level]:
        # What cannot be loaded has shown nothing that the other levels could be asked about.
        if not case.seen.error or level == BRONZE:
            yield from rule(case)
    if case.seen.error and level != BRONZE:
        yield Finding("loads", "Let it load first; then this level can be checked.")


def _project(text: str) -> project.Project:
    """The plugin in a folder, or the one that is installed from a folder. Raises :class:`Impossible`."""
    folder = Path(text)
    if not folder.is_dir() and "/" not in text:
        folder = _installed(text)
    try:
        return project.read(folder)
    except project.NoProject as error:
        raise Impossible(str(error)) from None


def _installed(name: str) -> Path:
    try:
        check_name(name)
    except PluginError as error:
        raise Impossible(f"There is no folder {name}, and {error}") from None
    for entry in importlib.metadata.entry_points(group=project.ENTRY_POINTS, name=name):
        spec = importlib.util.find_spec(entry.module.split(".")[0])
        for place in (spec.submodule_search_locations or ()) if spec else ():
            if (around := project.around(Path(place))) is not None and around.name == name:
                return around.folder
        raise Impossible(f"The plugin {name} was installed without its tests; give the folder of its source.")
    raise Impossible(
        f"There is no folder {name} and no plugin of that name; 'helpdesk plugin list' shows what is there."
    )


def _lines(
    found: project.Project, case: Case, findings: dict[str, list[Finding]], reached: str | None
) -> Iterator[str]:
    yield f"{found.name} {found.version}: {reached or 'not bronze yet'}"
    for name in LEVELS:
        if not findings[name]:
            continue
        yield ""
        yield f"For {name}:"
        for one in findings[name]:
            place = _place(one, found)
            yield f"  {place + ': ' if place else ''}{one.sentence}"
    if case.tried is not None and not case.tried.problem and not findings[GOLD]:
        yield f"{case.tried.passed} tests passed."


def _place(one: Finding, found: project.Project) -> str:
    if one.file is None:
        return ""
    path = one.file.resolve()
    shown = path.relative_to(found.folder) if path.is_relative_to(found.folder) else path
    return f"{shown}:{one.line}" if one.line else str(shown)


def _row(level: str, one: Finding) -> dict[str, Any]:
    file = str(one.file) if one.file else None
    return {"level": level, "rule": one.rule, "file": file, "line": one.line, "problem": one.sentence}
