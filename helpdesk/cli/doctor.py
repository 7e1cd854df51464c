"""What is right and wrong with an installation."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

import click
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.cli.checks import FAIL, OK, WARN, Finding, database, machine, running
from helpdesk.cli.frame import home_option, json_option, make_app, opened
from helpdesk.core.backups import bond
from helpdesk.core.config import Config, ConfigError, load
from helpdesk.core.paths import HomeError

_COLOURS = {OK: "green", WARN: "yellow", FAIL: "red"}


@click.command("doctor")
@home_option
@json_option
def doctor_command(as_json: bool) -> None:
    """Say what is right and wrong here, and what to do. Changes nothing; ends with 1 when something fails.

    Example: helpdesk doctor
    """
    findings = []
    for finding in _examine():
        findings.append(finding)
        _print(finding, as_json)
    if not as_json:
        click.echo(_summary(findings))
    sys.exit(1 if any(finding.state == FAIL for finding in findings) else 0)


def _examine() -> Iterator[Finding]:
    try:
        config = load()
    except ConfigError as error:
        yield Finding("configuration", FAIL, str(error))
        return
    if not config.paths.is_made:
        advice = "Name its folder by HELPDESK_HOME, or run 'helpdesk init'."
        yield Finding("home", FAIL, f"There is no desk in {config.home}", advice)
        return
    try:
        app = make_app()
    except HomeError as error:
        yield Finding("home", FAIL, str(error))
        return
    yield from machine(config)
    with opened(app):
        yield from _in_the_desk(config)


def _in_the_desk(config: Config) -> Iterator[Finding]:
    found = []
    try:
        bond.check()
        for finding in database(config):
            found.append(finding)
            yield finding
        if not any(finding.state == FAIL for finding in found):
            yield from running(config)
    except bond.WrongDatabase as error:
        yield Finding("database", FAIL, str(error))
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        yield Finding("database", FAIL, said, "Check database_url, and that the database server runs.")


def _print(finding: Finding, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(finding), ensure_ascii=False))
        return
    mark = click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state])
    click.echo(f"{mark}  {finding.check:<14} {finding.found}")
    if finding.advice:
        click.echo(f"{'':<21} {finding.advice}")


def _summary(findings: list[Finding]) -> str:
    counts = {state: sum(finding.state == state for finding in findings) for state in _COLOURS}
    if not counts[WARN] and not counts[FAIL]:
        return "All is well."
    return f"{counts[OK]} right, {counts[WARN]} to look at, {counts[FAIL]} wrong."
