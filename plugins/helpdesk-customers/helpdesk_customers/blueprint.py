"""The plugin's pages under /p/customers; each module of pages adds its own."""

from typing import Any

from flask import Blueprint, make_response, render_template

from helpdesk_customers import words

pages = Blueprint("customers", __name__, static_folder="static")


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`words` as well."""

    return make_response(render_template(f"customers/{template}", words=words, **values), code)
