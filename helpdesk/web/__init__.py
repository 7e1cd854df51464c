"""What people see: thin blueprints that parse the request, call one verb of the core, and render."""

from flask import Flask

from helpdesk.web import errors, headers, render, session
from helpdesk.web.admin import admin
from helpdesk.web.api import api
from helpdesk.web.auth import auth
from helpdesk.web.desk import desk
from helpdesk.web.look import look
from helpdesk.web.portal import portal
from helpdesk.web.setup import setup
from helpdesk.web.well_known import well_known

BLUEPRINTS = (look, portal, auth, desk, admin, api, setup, well_known)


def init_app(app: Flask) -> None:
    """Register everything of the web on an application."""
    session.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    render.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
