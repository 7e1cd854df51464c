"""The first start: five steps, begun with a one-time link."""

from helpdesk.web.setup import begin, finish
from helpdesk.web.setup.blueprint import setup

__all__ = ["begin", "finish", "setup"]
