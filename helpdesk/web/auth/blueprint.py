"""The blueprint of everything that lets people in."""

from flask import Blueprint, g

auth = Blueprint("auth", __name__, url_prefix="/auth")


@auth.before_request
def _never_stored() -> None:
    """Forms with passwords are in no cache."""
    g.no_store = True
