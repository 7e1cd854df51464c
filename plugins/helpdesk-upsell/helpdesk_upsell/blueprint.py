"""The plugin's pages under /p/upsell; each module of pages adds its own."""

from flask import Blueprint

pages = Blueprint("upsell", __name__, static_folder="static")
