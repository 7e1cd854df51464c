"""Plugins come and go: install, upgrade, uninstall. What cannot be proved to load is undone."""

import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from packaging.utils import canonicalize_name
from sqlalchemy import func, select

from helpdesk.core import audit, generation, plugin_data, schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, PluginState, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.plugins import candidates, manager, packages, start
from helpdesk.plugins.candidates import Candidate
from helpdesk.plugins.loading import Plugin, PluginError, find

log = logging.getLogger(__name__)

# A plugin that is being proved may migrate its tables: longer than a start may take.
_PATIENCE = 300.0


class CannotInstall(Exception):
    """A plugin could not be installed, upgraded or uninstalled; nothing has changed. The text is a sentence."""


@dataclass(frozen=True)
class Installed:
    """What was done. ``before`` is the version that was there, or an empty text."""

    name: str
    version: str
    before: str
    restarts: bool


@contextmanager
def staged(
    source: str, hashes: Sequence[str] = (), find_links: Sequence[Path] = (), wanted: str | None = None
) -> Iterator[Candidate]:
    """The plugin in ``source``, fetched or built, and checked, in a folder that lasts as long as the block.

    None of its code runs. Raises :class:`CannotInstall` with a sentence.
    """
    with tempfile.TemporaryDirectory(prefix="helpdesk-plugin-") as name:
        yield _checked(lambda: candidates.stage(source, Path(name), _folder(), hashes, find_links, wanted))


@contextmanager
def staged_wheel(wheel: Path) -> Iterator[Candidate]:
    """The same for a file that was uploaded; it stays where it is. Raises :class:`CannotInstall` with a sentence."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-plugin-") as name:
        copy = Path(name) / "given.whl"
        shutil.copyfile(wheel, copy)
        yield _checked(lambda: candidates.check(copy, Path(name), _folder()))


def _checked(make: Any) -> Candidate:
    try:
        found: Candidate = make()
        if sentence := plugin_data.why_mixed_up(found.manifest.name, found.manifest.tables):
            raise PluginError(sentence)
    except PluginError as error:
        raise CannotInstall(str(error)) from error
    return found


def install(
    candidate: Candidate, actor: User | None, find_links: Sequence[Path] = (), restart: bool = True
) -> Installed:
    """Install a candidate, migrate its tables, prove that it loads, and ask every process to start anew. Audited.

    When it does not load, or its migration fails, what was installed before is put back; no data is touched.
    Not inside a transaction. Raises :class:`CannotInstall`, NotAllowed.
    """
    require(actor, "plugin.edit")
    name, distribution = candidate.manifest.name, candidate.manifest.distribution
    config = _config()
    with _alone(), tempfile.TemporaryDirectory(prefix="helpdesk-plugin-") as folder:
        there = packages.names()
        old = packages.repack(distribution, Path(folder)) if candidate.installed else None
        start.let_in(config.paths.slow_plugins, name)
        _note(candidate, actor, restart)
        try:
            packages.install(candidate.wheel, distribution, candidate.manifest.requires, Path(folder), find_links)
            _prove(name)
        except PluginError as error:
            sentence = str(error)
            try:
                _go_back(distribution, old, there, Path(folder))
            except PluginError as worse:
                sentence = f"{sentence} Going back failed too: {worse}"
            start.let_in(config.paths.slow_plugins, name)
            with transaction():
                audit.record("plugin.install_failed", actor, name, {"reason": sentence[:500]})
            _pending().unlink(missing_ok=True)
            raise CannotInstall(sentence) from error
        _welcome(name, candidate.manifest.version, candidate.sha256, candidate.installed, actor, restart)
        _pending().unlink(missing_ok=True)
    return Installed(name, candidate.manifest.version, candidate.installed, restart)


def _welcome(name: str, version: str, sha256: str, before: str, actor: User | None, restart: bool) -> None:
    data = {"version": version, "sha256": sha256}
    with transaction():
        # A plugin that has just come hears of what happens from now on.
        newest = db.session.scalar(select(func.max(Event.id))) or 0
        state = db.session.get(PluginState, name)
        if state is None:
            new = PluginState(name=name, enabled=True, cursor=newest)
            state = add_or_find(new, partial(db.session.get, PluginState, name))
        # What the desk held against the old version says nothing about the new one.
        state.paused_at, state.paused_reason, state.error = None, "", ""
        if before:
            audit.record("plugin.upgraded", actor, name, {**data, "before": before})
        else:
            state.enabled = True
            audit.record("plugin.installed", actor, name, data)
        generation.bump()
        if restart:
            generation.ask_restart()


def uninstall(name: str, actor: User | None, restart: bool = True) -> Plugin:
    """Take a plugin's package out of the environment; its data stays. Audited.

    Not inside a transaction. Raises :class:`CannotInstall` with what to do instead, NotAllowed.
    """
    require(actor, "plugin.edit")
    plugin = found_here(name)
    if (sentence := why_not_uninstall(plugin)) is not None:
        raise CannotInstall(sentence)
    with _alone():
        try:
            packages.uninstall(plugin.distribution)
        except PluginError as error:
            raise CannotInstall(str(error)) from error
        with transaction():
            # Its files are gone: until the restart, nobody is to be led to its pages or wait for its answers.
            new = PluginState(name=name, enabled=False)
            add_or_find(new, partial(db.session.get, PluginState, name)).enabled = False
            audit.record("plugin.uninstalled", actor, name, {"version": plugin.version})
            generation.bump()
            if restart:
                generation.ask_restart()
    return plugin


def why_not_uninstall(plugin: Plugin) -> str | None:
    """A sentence when a plugin cannot be uninstalled, else None."""
    if plugin.path is not None:
        return _(
            "“%(name)s” is the file %(file)s in the folder plugins of the home; take that file away.",
            name=plugin.name,
            file=plugin.path.name,
        )
    if (folder := packages.folder_of_editable(plugin.distribution)) is not None:
        return _(
            "“%(name)s” is worked on in %(folder)s and is no copy; switch it off, or take it out of the environment "
            "the way it came in.",
            name=plugin.name,
            folder=folder,
        )
    if needing := candidates.needed_by(plugin.name, _folder()):
        return _("“%(other)s” needs “%(name)s”; uninstall that first.", other=needing[0], name=plugin.name)
    return None


def found_here(name: str) -> Plugin:
    """The plugin of that name as it is installed, whether it loads or not. Raises :class:`CannotInstall`."""
    plugin = next((one.plugin for one in find(_folder()) if one.plugin.name == name), None)
    if plugin is None:
        raise CannotInstall(_("There is no plugin “%(name)s”.", name=name))
    return plugin


def prove(name: str) -> None:
    """In a fresh process after an installation: raise :class:`CannotInstall` unless the plugin loads and migrates."""
    plugin = manager.current().plugins.get(name)
    if plugin is None:
        raise CannotInstall(f"It was installed and is not found as the plugin “{name}”.")
    if plugin.error:
        raise CannotInstall(plugin.error)
    schema.back_up_first(name)
    schema.upgrade(name)


def try_again(name: str, actor: User | None) -> None:
    """Start anew, with a plugin that was left out tried once more, whatever it did to earlier starts. Audited."""
    require(actor, "plugin.edit")
    start.let_in(_config().paths.slow_plugins, name)
    ask_restart(actor)


def ask_restart(actor: User | None) -> None:
    """Ask every web server and worker to start anew, for code that was installed by hand. Audited."""
    require(actor, "plugin.edit")
    with transaction():
        audit.record("desk.restarted", actor)
        generation.ask_restart()


def _prove(name: str) -> None:
    """Load it where nothing else is at stake. Raises :class:`PluginError` with the sentence that it ended with."""
    config = _config()
    environ = {**os.environ, "HELPDESK_HOME": str(config.home), "HELPDESK_SAFE_MODE": "0"}
    if config.database_url:
        environ["HELPDESK_DATABASE_URL"] = config.database_url
    words = [sys.executable, "-m", "helpdesk.cli", "plugin", "prove", name]
    try:
        done = subprocess.run(
            words,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
            pass_fds=packages.held(),
        )
    except subprocess.TimeoutExpired as error:
        raise PluginError(f"It was not ready after {_PATIENCE / 60:.0f} minutes.") from error
    if done.returncode == 0:
        return
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    raise PluginError(lines[-1][:500] if lines else f"Its process ended with the status {done.returncode}.")


def _go_back(distribution: str, old: Path | None, there: frozenset[str], folder: Path) -> None:
    """The installation as it was: the old version, or none; and without what came along."""
    came = sorted(name for name in packages.names() - there if name != canonicalize_name(distribution))
    if old is not None:
        packages.install(old, distribution, (), folder)
    elif packages.is_installed(distribution):
        packages.uninstall(distribution)
    for name in came:
        packages.uninstall(name)


@contextmanager
def _alone() -> Iterator[None]:
    """One installation at a time; the lock goes with its process."""
    file = _config().paths.cache / "packages.lock"
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotInstall(_("Another plugin is being installed; try again when that is done.")) from error
        with packages.held_by(lock.fileno()):
            _finish()
            yield


def settle() -> None:
    """Finish an installation that was cut short after its code was in; the desk is starting. Not in a transaction."""
    if not _pending().exists():
        return
    try:
        with _alone():
            pass
    except CannotInstall:
        log.info("A plugin is being installed.")


def _finish() -> None:
    """What a process that is gone had begun to install is written down, and counts from now on if it is there."""
    try:
        said = json.loads(_pending().read_text(encoding="utf-8"))
        name, version, before = str(said["name"]), str(said["version"]), str(said["before"])
        actor = db.session.get(User, said["by"]) if said["by"] is not None else None
        sha256, restart = str(said["sha256"]), bool(said["restart"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("The note of an installation that was cut short cannot be read: %s", error)
        return _pending().unlink(missing_ok=True)
    plugin = next((one.plugin for one in find(_folder()) if one.plugin.name == name), None)
    if plugin is not None and plugin.version == version:
        log.warning("The installation of the plugin %s %s was cut short; its code is there.", name, version)
        _welcome(name, version, sha256, before, actor, restart)
    else:
        log.warning("The installation of the plugin %s %s was cut short; install it again.", name, version)
        with transaction():
            audit.record("plugin.install_failed", actor, name, {"reason": "It was cut short."})
    _pending().unlink(missing_ok=True)


def _note(candidate: Candidate, actor: User | None, restart: bool) -> None:
    said: dict[str, Any] = {"name": candidate.manifest.name, "version": candidate.manifest.version}
    said |= {
        "before": candidate.installed,
        "sha256": candidate.sha256,
        "by": actor.id if actor is not None else None,
        "restart": restart,
    }
    aside = _pending().with_suffix(".new")
    aside.write_text(json.dumps(said), encoding="utf-8")
    aside.replace(_pending())


def _pending() -> Path:
    return _config().paths.cache / "packages.pending"


def _config() -> Config:
    config: Config = current_app.config["HELPDESK"]
    return config


def _folder() -> Path:
    return _config().paths.plugins
