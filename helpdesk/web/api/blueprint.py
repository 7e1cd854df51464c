"""The blueprint of the pages for programs. Every view says by ``token_page`` which scope it takes."""

from typing import Any

from flask import Blueprint, abort
from flask_babel import gettext as _

from helpdesk.core.filters import InvalidFilter
from helpdesk.core.idempotency import Reused
from helpdesk.core.models import Ticket
from helpdesk.core.permissions import find_ticket
from helpdesk.web.problems import problem
from helpdesk.web.session import reader

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.errorhandler(InvalidFilter)
def _invalid_filter(error: InvalidFilter) -> Any:
    return problem(422, str(error))


@api.errorhandler(Reused)
def _reused(_error: Reused) -> Any:
    return problem(422, _("This key was sent before with something else; take a new one."))


def ticket_or_404(number: int) -> Ticket:
    """The ticket if the token's account may see it; not yours and not there are the same answer."""
    found = find_ticket(reader(), number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found
