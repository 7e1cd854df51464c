"""Placeholder until its pages land."""

from flask import Blueprint

admin = Blueprint("admin", __name__)
