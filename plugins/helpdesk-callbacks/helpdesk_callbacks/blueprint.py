"""The plugin's pages under /p/callbacks; each module of pages adds its own."""

from typing import Any

from flask import Blueprint, make_response, render_template

from helpdesk_callbacks import words

pages = Blueprint("callbacks", __name__, static_folder="static")


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`words` as well."""
    return make_response(render_template(f"callbacks/{template}", words=words, **values), code)
