"""The statuses: free to name, each in one category."""

from typing import Protocol

from flask_babel import pgettext
from sqlalchemy import select

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.models import Status
from helpdesk.core.models.ticket import CATEGORIES, CLOSED, NEW, ON_HOLD, OPEN, PENDING, SOLVED


def category_label(category: str) -> str:
    """The name of a category in the reader's language."""
    # Only the one that is asked for is looked up: lists ask for every row.
    labels = {
        NEW: lambda: pgettext("status", "New"),
        OPEN: lambda: pgettext("status", "Open"),
        PENDING: lambda: pgettext("status", "Pending"),
        ON_HOLD: lambda: pgettext("status", "On hold"),
        SOLVED: lambda: pgettext("status", "Solved"),
        CLOSED: lambda: pgettext("status", "Closed"),
    }
    return labels[category]() if category in labels else category


class Named(Protocol):
    """A status, or what is known of one without its row."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def category(self) -> str: ...


def label(status: Named) -> str:
    """What a status is called in the reader's language: by the owner, or by its category."""
    return labels.name(labels.STATUS, status.id, status.name or category_label(status.category))


def customer_label(category: str) -> str:
    """What a customer reads: no words of ours."""
    labels = {
        NEW: lambda: pgettext("customer status", "Received"),
        OPEN: lambda: pgettext("customer status", "In progress"),
        PENDING: lambda: pgettext("customer status", "Your turn"),
        ON_HOLD: lambda: pgettext("customer status", "In progress"),
        SOLVED: lambda: pgettext("customer status", "Solved"),
        CLOSED: lambda: pgettext("customer status", "Closed"),
    }
    return labels[category]() if category in labels else category


def priority_label(priority: str) -> str:
    """The name of a priority in the reader's language."""
    labels = {
        "low": lambda: pgettext("priority", "Low"),
        "normal": lambda: pgettext("priority", "Normal"),
        "high": lambda: pgettext("priority", "High"),
        "urgent": lambda: pgettext("priority", "Urgent"),
    }
    return labels[priority]() if priority in labels else priority


def active() -> list[Status]:
    """The statuses that a ticket may get, in their order."""
    found = db.session.scalars(select(Status).where(Status.active).order_by(Status.position, Status.id)).all()
    return sorted(found, key=lambda status: CATEGORIES.index(status.category))


def by_key(key: str) -> Status | None:
    """The active status with that key, or None."""
    return db.session.scalar(select(Status).where(Status.key == key, Status.active))


def of_category(category: str) -> Status:
    """The first active status of a category. There is always one: the last of each cannot be switched off."""
    return db.session.scalars(
        select(Status).where(Status.category == category, Status.active).order_by(Status.position, Status.id).limit(1)
    ).one()
