"""helpdesk audit: the record of administrative acts, verified and handed out."""

from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, user_named
from helpdesk.core.audit import checking, exporting, linking
from helpdesk.core.audit.searching import Search
from helpdesk.core.audit.verifying import BadAnchor, Verdict, verify


@click.group("audit")
def audit_command() -> None:
    """The record of administrative acts.

    Example: helpdesk audit verify
    """


@audit_command.command("verify")
@click.option("--expect", default="", metavar="ANCHOR", help="What an earlier verify printed, kept elsewhere since.")
@json_option
@in_app
def verify_record(expect: str, as_json: bool) -> None:
    """Verify every link and entry; exit status 1 when something was changed, or nothing keeps it from being changed.

    Keep the anchor that it prints on another machine: with it, a later verify sees as well when the end was cut off or
    all of it was written anew.

    Example: helpdesk audit verify --expect "$(cat /mnt/elsewhere/anchor)"
    """
    linking.link_new(most=1_000_000, whole=True)
    try:
        verdict = verify(expect or checking.last().get("anchor", ""))
    except BadAnchor as error:
        raise Impossible(str(error)) from error
    print_result(checking.result(verdict), _sentence(verdict), as_json)
    if verdict.broken or verdict.unguarded:
        raise click.exceptions.Exit(1)


@audit_command.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=False), default="-")
@click.option("--format", "form", type=click.Choice(exporting.FORMATS), default=exporting.CSV, help="Default: csv.")
@click.option("--action", default="", help="Only this act, such as user.role_changed.")
@click.option("--actor", default="", metavar="EMAIL", help="Only what this person did.")
@click.option("--text", default="", help="Only what it was done to has these words.")
@click.option("--address", default="", help="Only from this address of the network.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day (UTC).")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="To this day (UTC), which counts as well.")
@in_app
def export_record(
    file: TextIO, form: str, actor: str, since: datetime | None, until: datetime | None, **how: Any
) -> None:
    """Hand the record out, oldest first. That it was handed out is an entry itself.

    Example: helpdesk audit export record.csv --since 2026-01-01
    """
    search = Search(
        actor_id=user_named(actor).id if actor else None,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) + timedelta(days=1) if until else None,
        **how,
    )
    for piece in exporting.export(search, form, None):
        file.write(piece)


def _sentence(verdict: Verdict) -> str:
    lines = []
    if verdict.unguarded:
        lines.append(
            f"Triggers that keep the record are missing ({', '.join(verdict.unguarded)}): somebody took them away. "
            "Find out who; docs/security/audit.md says how they come back."
        )
    if verdict.broken:
        where = f" at link {verdict.at_link}" if verdict.at_link is not None else ""
        return "\n".join([*lines, f"The record was changed{where}: {verdict.broken}"])
    lines += [
        f"The record is as it was written: {verdict.links} links; the details of {verdict.erased} entries were "
        "erased with people.",
        f"Anchor, to be kept elsewhere: {verdict.anchor}",
    ]
    return "\n".join(lines)
