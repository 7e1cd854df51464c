"""The plugin's places on the desk's pages: beside tickets, in the composer, in menus."""

from helpdesk.api import ComposerTool, NavItem, Panel, Ticket, hookimpl
from helpdesk.api import lazy_gettext as _l
from helpdesk_upsell import amounts, prepared, suggestions, words
from helpdesk_upsell.models import SHOWN
from helpdesk_upsell.permissions import USE
from helpdesk_upsell.ticket_pages import panel_values


@hookimpl
def nav_items() -> list[NavItem]:
    """What was suggested, and what came of it."""
    return [NavItem(_l("Recommendations"), "upsell.index", icon="bulb", permission=USE, order=35)]


@hookimpl
def composer_tools(ticket: Ticket) -> list[ComposerTool]:
    """The page from which a recommendation is put into the answer."""
    return [ComposerTool(_l("Recommend"), "upsell.fitting", {"number": ticket.id}, "bulb", USE, 60)]


@hookimpl
def ticket_panels(ticket: Ticket) -> list[Panel]:
    """What fits the customer, once the question is answered; before that, that it waits, and what was answered to
    earlier offers. One query; no box and none where no rule is on.
    """
    if prepared.is_idle():
        return []
    waits = suggestions.waits(ticket)
    rows = [one for one in suggestions.of_ticket(ticket) if not waits or one.state != SHOWN]
    context = {**panel_values(ticket, rows, [waits] if waits else []), "words": words, "amounts": amounts}
    return [Panel(_l("Recommendations"), "upsell/panel_body.html", context, "bulb", USE, 70)]
