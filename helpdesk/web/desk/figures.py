"""Figures of the desk: how many tickets a filter holds, and the list that a figure opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from helpdesk.core.filters import TicketFilter
from helpdesk.core.models import User
from helpdesk.core.views import COUNT_LIMIT, NamedView, count_of
from helpdesk.web.render import number


@dataclass(frozen=True)
class Figure:
    """A number of tickets that opens them."""

    label: str
    count: int
    url: str

    @property
    def words(self) -> str:
        """The number as people read it; what is counted no further ends with a plus."""
        return count_words(self.count)


def figures(wanted: Mapping[str, tuple[Any, TicketFilter]], user: User) -> dict[str, Figure]:
    """Figures by key from labels and filters, of what ``user`` sees. One query for all of them."""
    views = [NamedView(key, "", "", chosen) for key, (_label, chosen) in wanted.items()]
    counts = count_of(views, user)
    return {key: Figure(str(label), counts[key], list_url(chosen)) for key, (label, chosen) in wanted.items()}


def list_url(wanted: TicketFilter) -> str:
    """The address of the list of what a filter holds."""
    return url_for("desk.view_list", key="all", f=1, **wanted.as_dict())


def count_words(count: int) -> str:
    """A count that stops at its limit, by the reader's rules."""
    return number(count) if count <= COUNT_LIMIT else _("%(number)s+", number=number(COUNT_LIMIT))
