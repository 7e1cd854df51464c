"""The plugin's pages under /p/surveys; each module of pages adds its own."""

from typing import Any

from flask import Blueprint, make_response, render_template

from helpdesk_surveys import wording, words

pages = Blueprint("surveys", __name__, static_folder="static")


def show(template: str, code: int = 200, **values: Any) -> Any:
    """The page made of a template, which knows :mod:`wording` and :mod:`words` as well."""
    return make_response(render_template(f"surveys/{template}", wording=wording, words=words, **values), code)
