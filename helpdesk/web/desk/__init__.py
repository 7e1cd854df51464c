"""The agents' desk: views, lists, tickets. Each module registers its pages on the blueprint."""

from helpdesk.web.desk import attachments, editing, lists, me, opening, people, side, tickets, writing
from helpdesk.web.desk.blueprint import desk

__all__ = ["attachments", "desk", "editing", "lists", "me", "opening", "people", "side", "tickets", "writing"]
