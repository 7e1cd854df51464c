"""Plugins come and go: build, install, upgrade, uninstall, purge."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, make_app, print_result
from helpdesk.core import plugin_data, plugin_packages
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.plugin_data import Kept
from helpdesk.plugins import building, manifest, wheels
from helpdesk.plugins.candidates import Candidate

_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_hashes = click.option("--hash", "hashes", multiple=True, help="The file's hash, sha256:...; any of several will do.")
_links = click.option(
    "--find-links",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of wheels to look into before the index.",
)
_no_restart = click.option("--no-restart", is_flag=True, help="Leave the running desk as it is.")
# For the page of the administration, which asks for the password itself.
_by = click.option("--by", type=int, hidden=True, help="The user who asked for it.")

_KINDS = {
    "settings": "saved settings",
    "fields": "ticket fields",
    "values": "values of these fields on tickets",
    "schedules": "schedules",
    "jobs": "jobs",
    "facts": "events that it has not taken in",
    "health": "lines about its health",
}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Where to put it (default: FOLDER/dist).")
@json_option
def build(folder: Path, out: Path | None, as_json: bool) -> None:
    """Build the wheel of the plugin in FOLDER, with the manifest of what it will use inside.

    Example: helpdesk plugin build ./helpdesk-orders
    """
    target = out or folder / "dist"
    with tempfile.TemporaryDirectory(prefix="helpdesk-plugin-") as name:
        wheel = wheels.seal(wheels.inspect(building.build(folder.resolve(), Path(name))))
        target.mkdir(parents=True, exist_ok=True)
        placed = target / wheel.file_name
        shutil.copyfile(wheel.path, placed)
    row = {"file": str(placed), "sha256": wheel.sha256, **wheel.read.uses()}
    lines = [f"Built {placed}", f"sha256:{wheel.sha256}", "It says that it will use:"]
    print_result(row, "\n".join([*lines, *_uses(wheel.read)]), as_json)


@click.command()
@click.argument("source")
@_hashes
@_links
@_yes
@_no_restart
@_by
@json_option
@in_app
def install(
    source: str,
    hashes: tuple[str, ...],
    find_links: tuple[Path, ...],
    yes: bool,
    no_restart: bool,
    by: int | None,
    as_json: bool,
) -> None:
    """Install the plugin in SOURCE: a folder, a wheel, or a name in the package index.

    Shows what it will use before any of its code runs, and asks. Then a running desk starts anew within seconds.

    Example: helpdesk plugin install ./helpdesk-orders
    """
    with plugin_packages.staged(source, hashes, find_links) as candidate:
        _install(candidate, find_links, yes, no_restart, by, as_json)


@click.command()
@click.argument("name")
@click.argument("source", required=False)
@_hashes
@_links
@_yes
@_no_restart
@json_option
@in_app
def upgrade(
    name: str,
    source: str | None,
    hashes: tuple[str, ...],
    find_links: tuple[Path, ...],
    yes: bool,
    no_restart: bool,
    as_json: bool,
) -> None:
    """Replace the plugin NAME with the version in SOURCE, or with the newest one in the package index.

    When the new version cannot be loaded or its migration fails, the old one stays.

    Example: helpdesk plugin upgrade orders ./helpdesk_orders-1.1.0-py3-none-any.whl
    """
    plugin = plugin_packages.found_here(name)
    if plugin.path is not None:
        raise Impossible(f"“{name}” is the single file {plugin.path.name}; put the new one in its place.")
    with plugin_packages.staged(source or plugin.distribution, hashes, find_links, wanted=name) as candidate:
        if source is None and candidate.manifest.version == plugin.version:
            row = {"name": name, "version": plugin.version, "changed": False}
            return print_result(row, f"{name} {plugin.version} is the newest there is.", as_json)
        _install(candidate, find_links, yes, no_restart, None, as_json)


@click.command()
@click.argument("name")
@_yes
@_no_restart
@json_option
@in_app
def uninstall(name: str, yes: bool, no_restart: bool, as_json: bool) -> None:
    """Take a plugin's package away; its data stays for when it comes back.

    Example: helpdesk plugin uninstall orders
    """
    plugin = plugin_packages.found_here(name)
    if (sentence := plugin_packages.why_not_uninstall(plugin)) is not None:
        raise Impossible(sentence)
    if not yes:
        click.confirm(f"Uninstall {plugin.distribution} {plugin.version}? Its data stays.", abort=True)
    plugin_packages.uninstall(name, None, restart=not no_restart)
    sentence = f"{name} is uninstalled; its data stays ('helpdesk plugin purge {name}' takes that out for good)."
    print_result({"name": name, "uninstalled": True}, sentence, as_json)


@click.command()
@click.argument("name")
@_yes
@json_option
@in_app
def purge(name: str, yes: bool, as_json: bool) -> None:
    """Take out all data of a plugin that is off or uninstalled, for good.

    Lists what goes, with the numbers of rows, and asks for the name.

    Example: helpdesk plugin purge orders
    """
    kept = plugin_data.kept(name)
    if not yes:
        click.echo("\n".join(["This goes, and does not come back:", *_kept(kept)]), err=as_json)
        if click.prompt(f"Type the name of the plugin ({name}) to go on", err=as_json) != name:
            raise Impossible("That is not the name; nothing was done.")
    gone = plugin_data.purge(name, None)
    row = {"name": name, "gone": {one.table or one.kind: one.rows for one in gone}}
    print_result(row, f"The data of {name} is gone.", as_json)


@click.command(hidden=True)
@click.argument("name")
def prove(name: str) -> None:
    """Load a plugin that has just been installed and migrate its tables: for 'helpdesk plugin install' itself.

    Example: helpdesk plugin prove orders
    """
    app = make_app()
    with app.app_context():
        try:
            plugin_packages.prove(name)
        finally:
            db.session.remove()
            db.engine.dispose()


COMMANDS = (build, install, upgrade, uninstall, purge, prove)


def _install(
    candidate: Candidate, find_links: tuple[Path, ...], yes: bool, no_restart: bool, by: int | None, as_json: bool
) -> None:
    if not as_json or not yes:
        click.echo("\n".join(_about(candidate)), err=as_json)
    if not yes:
        click.confirm("Install it?", abort=True, err=as_json)
    done = plugin_packages.install(candidate, _user(by), find_links, restart=not no_restart)
    row: dict[str, Any] = {
        "name": done.name,
        "version": done.version,
        "before": done.before,
        "sha256": candidate.sha256,
        "restarts": done.restarts,
        **candidate.manifest.uses(),
    }
    was = f" (before: {done.before})" if done.before else ""
    then = "a desk that runs starts anew within seconds." if done.restarts else "it is there at the next start."
    print_result(row, f"{done.name} {done.version} is installed{was}; {then}", as_json)


def _about(candidate: Candidate) -> list[str]:
    """What an owner should know before anything of it runs."""
    said = candidate.manifest
    lines = [
        f"{said.name} {said.version} ({said.distribution})" + (f" by {said.author}" if said.author else ""),
        said.summary,
        f"sha256:{candidate.sha256}",
        f"It replaces version {candidate.installed}." if candidate.installed else "",
        "" if candidate.came_sealed else "It came without a manifest; what it uses was read from its code.",
        f"It also installs: {', '.join(candidate.lacks)}" if candidate.lacks else "",
        "The hash covers the plugin alone, not what it also installs." if candidate.lacks else "",
        "It will use:",
        *_uses(said),
    ]
    return [line for line in lines if line]


def _uses(said: manifest.Manifest) -> list[str]:
    return [f"  {line}" for line in manifest.in_words(said.uses())] or ["  nothing of the desk"]


def _kept(kept: list[Kept]) -> list[str]:
    lines = [f"  the table {one.table}: {one.rows} rows" for one in kept if one.table]
    lines += [f"  {_KINDS[one.kind]}: {one.rows}" for one in kept if not one.table]
    return lines or ["  only what the desk remembers of it"]


def _user(by: int | None) -> User | None:
    if by is None:
        return None
    user = db.session.get(User, by)
    if user is None:
        raise Impossible(f"There is no user number {by}.")
    return user
