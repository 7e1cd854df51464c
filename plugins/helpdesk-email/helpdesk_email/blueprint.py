"""The plugin's pages under /p/email; each module of pages adds its own."""

from flask import Blueprint

pages = Blueprint("email", __name__)
