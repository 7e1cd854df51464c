"""Runs the services of plugins: one thread in each worker begins them, ends them, and begins them again."""

import logging
import math
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask
from sqlalchemy import delete, select, update

from helpdesk.core import holding
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import ServiceLease, Worker
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.plugins import manager
from helpdesk.plugins.calls import ANYTHING
from helpdesk.plugins.contributions import Service
from helpdesk.plugins.health import Health

log = logging.getLogger(__name__)

_LOOK = 0.5
# A worker that is silent for so long loses what only one may run; it stops by itself before that.
LEASE = timedelta(seconds=30)
_RENEW, _LOST = 10.0, 25.0
# The pause after an end: twice as long each time, and short again after a run that has lasted.
_FIRST_PAUSE, _LAST_PAUSE, _LASTED = 1.0, 300.0, 60.0
# Less than the worker's own drain.
_DRAIN = 15.0


@dataclass
class _Run:
    """One service that runs in this process."""

    service: Service
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    error: BaseException | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def is_alive(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


@dataclass
class _Pause:
    """How long a service that has ended waits for its next run."""

    streak: int = 0
    until: float = 0.0


class Services(threading.Thread):
    """Keeps the services of all plugins that are on running, as long as the worker does; none while the desk is held.

    ``worker`` is the row of this process: what only one worker may run belongs to the one that holds its lease.
    ``stops`` is set when the process is to end.
    """

    def __init__(self, app: Flask, worker: Worker, stops: threading.Event | None = None) -> None:
        super().__init__(name="services", daemon=True)
        self._app = app
        self._worker_id = worker.id
        self._plugins: manager.Manager = app.extensions[manager.EXTENSION]
        self._runs: dict[str, _Run] = {}
        self._pauses: dict[str, _Pause] = {}
        # When each lease of this process was lengthened last (monotonic).
        self._leases: dict[str, float] = {}
        self._stops = stops or threading.Event()

    def stop(self) -> None:
        """End all services; :meth:`join` waits for them."""
        self._stops.set()

    def run(self) -> None:
        watch = threading.Thread(target=self._watch_leases, name="leases of services", daemon=True)
        watch.start()
        while not self._stops.wait(_LOOK):
            with self._app.app_context():
                try:
                    self._look()
                except Exception:  # noqa: BLE001 - a database that is away comes back
                    log.warning("The services could not be looked at; it is tried again.", exc_info=True)
                finally:
                    db.session.remove()
        self._end()
        watch.join()

    def _look(self) -> None:
        self._bury()
        wanted = self._wanted()
        for name, run in self._runs.items():
            if name not in wanted:
                run.stop.set()
        self._keep_leases(wanted)
        for name, entry in wanted.items():
            if name not in self._runs and time.monotonic() >= self._pause(name).until and self._may_begin(entry.item):
                self._begin(entry.item)

    def _wanted(self) -> dict[str, manager.Contribution]:
        found = {entry.item.name: entry for entry in self._plugins.contributions("register_services")}
        if not found or holding.held_since() is not None:
            return {}
        return {name: entry for name, entry in found.items() if not self._plugins.is_paused(entry.plugin)}

    # ---- leases

    def _may_begin(self, service: Service) -> bool:
        if not service.single or not self._is_lost(service.name):
            return True
        # From here on, however long the database takes to answer.
        moment = time.monotonic()
        if not take(service.name, self._worker_id):
            return False
        self._leases[service.name] = moment
        return not self._is_lost(service.name)

    def _keep_leases(self, wanted: dict[str, manager.Contribution]) -> None:
        """Lengthen those of what runs or waits for its next run here, and give back the others."""
        for name in [name for name in self._leases if name not in wanted and name not in self._runs]:
            give_back(name, self._worker_id)
            del self._leases[name]
        moment = time.monotonic()
        if not any(moment - renewed >= _RENEW for renewed in self._leases.values()):
            return
        # All of them in one transaction.
        kept = lengthen(list(self._leases), self._worker_id)
        for name in list(self._leases):
            if name in kept:
                self._leases[name] = moment
            else:
                log.warning("The service %s runs in another worker now; it ends here.", name)
                self._lose(name)

    def _lose(self, name: str) -> None:
        del self._leases[name]
        if name in self._runs:
            self._runs[name].stop.set()

    def _is_lost(self, name: str) -> bool:
        return time.monotonic() - self._leases.get(name, -math.inf) > _LOST

    def _watch_leases(self) -> None:
        """While the database is away no lease is lengthened: another worker that reaches it may begin soon.

        In a thread of its own, which never waits for the database; it ends what runs, and changes nothing else.
        """
        while not self._stops.wait(_LOOK):
            for run in list(self._runs.values()):
                if run.service.single and self._is_lost(run.service.name):
                    run.stop.set()

    # ---- runs

    def _pause(self, name: str) -> _Pause:
        return self._pauses.setdefault(name, _Pause())

    def _begin(self, service: Service) -> None:
        run = self._runs[service.name] = _Run(service)
        self._health(service.name).calls += 1
        run.thread = threading.Thread(target=self._serve, args=(run,), name=service.name, daemon=True)
        run.thread.start()

    def _serve(self, run: _Run) -> None:
        try:
            with self._app.app_context():
                try:
                    run.service.run(run.stop)
                finally:
                    db.session.remove()
        except ANYTHING as error:  # shown with the plugin; it is begun again
            run.error = error

    def _bury(self) -> None:
        """Note how those that have ended did, and when they are begun again."""
        for name, run in [(name, run) for name, run in self._runs.items() if not run.is_alive]:
            del self._runs[name]
            pause = self._pause(name)
            if run.error is not None:
                health = self._health(name)
                health.errors += 1
                health.error = f"{type(run.error).__name__}: {run.error}"[:500]
                log.error("The service %s failed.", name, exc_info=run.error)
            if run.stop.is_set() or time.monotonic() - run.began >= _LASTED:
                pause.streak = 0
            seconds = 0.0 if run.stop.is_set() else min(_FIRST_PAUSE * 2 ** min(pause.streak, 10), _LAST_PAUSE)
            pause.streak += 1
            pause.until = time.monotonic() + seconds

    def _health(self, name: str) -> Health:
        """Services stand with the hooks of their plugin, under their own names."""
        return self._plugins.plugins[name.partition(".")[0]].health.setdefault(name, Health())

    def _end(self) -> None:
        for run in self._runs.values():
            run.stop.set()
        end = time.monotonic() + _DRAIN
        for run in self._runs.values():
            if run.thread is not None:
                run.thread.join(max(0.0, end - time.monotonic()))
        with self._app.app_context():
            try:
                self._bury()
                # What has not ended keeps its lease: it is cut off with the process.
                self._keep_leases({})
            except Exception:  # noqa: BLE001 - they run out
                log.warning("The leases of services could not be given back.", exc_info=True)
            finally:
                db.session.remove()


# ---- who runs what only one may run: short transactions of their own


def take(name: str, worker_id: str) -> bool:
    """Take the lease of a service for a worker; False while another one has it."""
    if _is_held(name, worker_id):
        return False
    with transaction():
        new = ServiceLease(name=name, worker_id=worker_id, until=now() + LEASE)
        lease = _locked(name) or add_or_find(new, lambda: _locked(name))
        # Somebody else may have been quicker, a moment ago.
        if _is_held(name, worker_id):
            return False
        lease.worker_id, lease.until = worker_id, now() + LEASE
    return True


def lengthen(names: Collection[str], worker_id: str) -> frozenset[str]:
    """Keep leases; answer those that are still this worker's."""
    mine = (ServiceLease.name.in_(names), ServiceLease.worker_id == worker_id)
    with transaction():
        kept = update(ServiceLease).where(*mine).values(until=now() + LEASE).returning(ServiceLease.name)
        return frozenset(db.session.scalars(kept))


def give_back(name: str, worker_id: str) -> None:
    """Let another worker take it at once."""
    mine = (ServiceLease.name == name, ServiceLease.worker_id == worker_id)
    with transaction():
        db.session.execute(delete(ServiceLease).where(*mine))


def _locked(name: str) -> ServiceLease | None:
    return db.session.get(ServiceLease, name, with_for_update=True)


def _is_held(name: str, worker_id: str) -> bool:
    """Whether another worker has it: one that has a row, and has said so of late."""
    query = select(ServiceLease.name).join(Worker, Worker.id == ServiceLease.worker_id)
    others = (ServiceLease.name == name, ServiceLease.worker_id != worker_id, ServiceLease.until > now())
    return db.session.scalar(query.where(*others)) is not None
