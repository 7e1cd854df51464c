"""Placeholder until its pages land."""

from flask import Blueprint

setup = Blueprint("setup", __name__)
