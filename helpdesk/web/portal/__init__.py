"""Placeholder until its pages land."""

from flask import Blueprint

portal = Blueprint("portal", __name__)
