"""The plugin's pages under /p/training; each module of pages adds its own."""

from flask import Blueprint

pages = Blueprint("training", __name__, static_folder="static")
