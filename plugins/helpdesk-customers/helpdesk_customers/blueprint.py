"""The plugin's pages under /p/customers; each module of pages adds its own."""

from flask import Blueprint

pages = Blueprint("customers", __name__, static_folder="static")
