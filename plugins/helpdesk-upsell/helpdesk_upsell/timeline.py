"""Offers in the timeline that the plugin of customer records keeps of every contact."""

from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Ticket, User, allowed, hookimpl, visible_tickets
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts
from helpdesk_upsell.models import ACCEPTED, BOUGHT, DECLINED, Suggestion
from helpdesk_upsell.permissions import USE

OFFER = "upsell_offer"


@hookimpl(optionalhook=True)
def customers_timeline(page: Any) -> list[Any]:
    """What was offered to somebody, on tickets that the reader sees. One query."""
    if not allowed(page.viewer, USE):
        return []
    people: Any = page.person_ids
    if page.organization_id is not None:
        people = select(User.id).where(User.organization_id == page.organization_id)
    mine = visible_tickets(page.viewer).with_only_columns(Ticket.id).order_by(None)
    query = (
        select(Suggestion)
        .where(Suggestion.user_id.in_(people), Suggestion.offered_at.is_not(None), Suggestion.ticket_id.in_(mine))
        .options(joinedload(Suggestion.shown_by))
    )
    return [
        page.entry(OFFER, one.id, one.offered_at, _title(one), text=one.words, icon="shopping-bag",
                   ticket=one.ticket_id, url=url_for("upsell.suggestion", suggestion_id=one.id),
                   by=one.shown_by.display_name if one.shown_by is not None else "")
        for one in page.newest(OFFER, query, Suggestion.offered_at, Suggestion.id)
    ]  # fmt: skip


def _title(one: Suggestion) -> str:
    price = amounts.price_words(one.amount, one.currency, one.period)
    if one.state == DECLINED:
        return _("Offered and declined: %(product)s, %(price)s", product=one.name, price=price)
    if one.state in (ACCEPTED, BOUGHT):
        return _("Offered and accepted: %(product)s, %(price)s", product=one.name, price=price)
    return _("Offered: %(product)s, %(price)s", product=one.name, price=price)
