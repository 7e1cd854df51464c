"""The plugin's pages under /p/career; each module of pages adds its own."""

from flask import Blueprint

pages = Blueprint("career", __name__, static_folder="static")
