"""Threads of each serving process: one names hooks that hang, one adds up their health and hears of restarts."""

import logging
import os
import threading
import time
from collections.abc import Callable

from flask import Flask

from helpdesk.core import generation, plugin_states, sign_in_sessions
from helpdesk.core.audit import linking
from helpdesk.core.checkpoints import Checkpointer
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.plugins import manager
from helpdesk.plugins.watch import HUNG, Alarm

log = logging.getLogger(__name__)

_LOOK, _LISTEN, _COUNT = 0.5, 2.0, 20.0
# What else the process is doing has so long to finish, once it is to be replaced because of a stuck hook.
_DRAIN = 20.0
# Somebody holds the writer's lock: what else is running here could not write in any case.
_SHORT_DRAIN = 2.0


class Keeper(threading.Thread):
    """Started by a process that serves, after its fork. ``replace()`` asks for a fresh process in its place.

    A hook over 2 s is named in the log; over 10 s its plugin is paused for every process; over 30 s this process
    is replaced, and ended for good when it has not gone 20 s later: a loop in a thread cannot be stopped otherwise.

    One that hangs inside a write transaction keeps everybody from writing: its process is replaced after 10 s, and
    the pause goes through a file to another one. This thread never waits for the database.
    """

    def __init__(self, app: Flask, replace: Callable[[], None]) -> None:
        super().__init__(name="keeper", daemon=True)
        self._plugins: manager.Manager = app.extensions[manager.EXTENSION]
        self._replace = replace
        self._clerk = _Clerk(app, self.leave)
        self._checkpointer = _checkpointer(app)
        # When this process has to be gone at the latest.
        self._ends_at: float | None = None

    def run(self) -> None:
        self._clerk.start()
        if self._checkpointer is not None:
            self._checkpointer.start()
        while self._ends_at is None or time.monotonic() < self._ends_at:
            self._look()
            time.sleep(_LOOK)
        if self._plugins.marks is not None:
            self._plugins.marks.take_away()
        os._exit(1)

    def _look(self) -> None:
        """Act on what has passed a limit; nothing that fails meanwhile may end the watch."""
        try:
            for alarm in self._plugins.look():
                log.warning("%s", alarm)
                self._act(alarm)
        except Exception:
            log.exception("The watch over plugins could not look; it goes on.")

    def _act(self, alarm: Alarm) -> None:
        if alarm.limit >= HUNG:
            try:
                self._clerk.pauses.leave(alarm)
            except OSError:
                # Here it rests all the same, and the process that holds a thread goes.
                log.exception("The pause of plugin %s could not be written down.", alarm.plugin)
        if alarm.limit > HUNG or (alarm.limit == HUNG and alarm.writes):
            log.error("Plugin %s holds a thread; this process is replaced.", alarm.plugin)
            self.leave(_SHORT_DRAIN if alarm.writes else _DRAIN)

    def leave(self, drain: float | None = None) -> None:
        """Have this process replaced, once; it is ended after ``drain`` seconds if it is still there."""
        if self._ends_at is not None:
            return
        if drain is not None:
            self._ends_at = time.monotonic() + drain
            self._clerk.stops.set()
        try:
            self._replace()
        except Exception:
            # With a drain it ends itself, and whoever keeps it starts another; a restart is asked for again.
            log.exception("This process could not have itself replaced.")
            if drain is None:
                raise


def _checkpointer(app: Flask) -> Checkpointer | None:
    with app.app_context():
        url = db.engine.url
    return Checkpointer(app.config["HELPDESK"], str(url.database)) if url.get_backend_name() == "sqlite" else None


class _Pauses:
    """Plugins that have hung and whose pause is not in the database yet: a file for each, for whoever can write it."""

    def __init__(self, app: Flask) -> None:
        config: Config = app.config["HELPDESK"]
        self._folder = config.paths.cache / "to-pause"

    def leave(self, alarm: Alarm) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._folder / f".{alarm.plugin}.{os.getpid()}"
        aside.write_text(str(alarm), encoding="utf-8")
        aside.replace(self._folder / alarm.plugin)

    def waiting(self) -> dict[str, str]:
        if not self._folder.is_dir():
            return {}
        found = {}
        for file in self._folder.iterdir():
            try:
                found[file.name] = file.read_text(encoding="utf-8")
            except FileNotFoundError:
                # Another process was quicker.
                continue
        return {name: reason for name, reason in found.items() if not name.startswith(".")}

    def kept(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


class _Clerk(threading.Thread):
    """What the keeper has to do with the database, which may be long in answering."""

    def __init__(self, app: Flask, leave: Callable[[], None]) -> None:
        super().__init__(name="keeper's clerk", daemon=True)
        self.pauses = _Pauses(app)
        self.stops = threading.Event()
        self._app = app
        self._leave = leave
        self._plugins: manager.Manager = app.extensions[manager.EXTENSION]
        # Counted before the plugins were imported: one that is asked for in between is heard.
        self._began_with: int | None = app.extensions.get(generation.BEGAN_WITH)

    def run(self) -> None:
        heard = counted = time.monotonic() - _LISTEN
        while not self.stops.wait(_LOOK):
            moment = time.monotonic()
            try:
                with self._app.app_context():
                    self._pause()
                    if moment - heard >= _LISTEN:
                        heard = moment
                        self._listen()
                    if moment - counted >= _COUNT:
                        counted = moment
                        plugin_states.add_health(self._plugins.counts())
                        sign_in_sessions.write_visits()
                        linking.link_new()
            except Exception:  # noqa: BLE001 - a database that is away must not end the watch
                log.warning("The watch over plugins could not write; it tries again.", exc_info=True)

    def _pause(self) -> None:
        for name, reason in self.pauses.waiting().items():
            plugin_states.pause(name, reason)
            self._plugins.kept(name)
            self.pauses.kept(name)

    def _listen(self) -> None:
        restarts = generation.restarts()
        self._plugins.forgive_resumed()
        db.session.remove()
        if self._began_with is None:
            self._began_with = restarts
        if restarts != self._began_with:
            log.warning("A restart was asked for.")
            self._leave()
            self._began_with = restarts
