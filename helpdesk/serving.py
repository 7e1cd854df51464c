"""What the web server loads in each of its processes: the application, and the thread that watches over it."""

import atexit
import os
import signal

from flask import Flask

from helpdesk import garbage
from helpdesk.app import create_app
from helpdesk.core import logs, schema
from helpdesk.core.extensions import db
from helpdesk.core.keeper import Keeper


def web() -> Flask:
    """The application of the home that the environment names, for gunicorn, which calls this after its fork."""
    logs.begin()
    with garbage.kept():
        app = create_app(serves=True)
        with app.app_context():
            schema.leave_out_unready()
            schema.welcome_plugins()
            db.session.remove()
            # The last one that lets go of an SQLite database writes its log back: a copy of the file is whole then.
            atexit.register(db.engine.dispose)
    Keeper(app, replace=_reload).start()
    return app


def _reload() -> None:
    """Have gunicorn's master start fresh processes first and drain this one then."""
    os.kill(os.getppid(), signal.SIGHUP)
