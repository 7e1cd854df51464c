"""Whether a product can be suggested to a customer at all, and why not."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select

from helpdesk.api import db, now, settings
from helpdesk.api import gettext as _
from helpdesk_upsell.models import DECLINED, LATER, Suggestion
from helpdesk_upsell.prepared import Catalogue, Item
from helpdesk_upsell.settings import RecommendationSettings

_DECLINED = select(Suggestion.sku, Suggestion.why, Suggestion.answered_at).where(
    Suggestion.user_id == bindparam("customer"),
    Suggestion.state == DECLINED,
    Suggestion.answered_at > bindparam("since"),
)


def why_not(
    item: Item | None, owned: set[str], currency: str, refused: set[str], products: Catalogue, today: date
) -> str:
    """Why a product cannot be suggested, in the reader's language, to read on after its name; "" where it can."""
    if item is None:
        return _("is not in the catalogue")
    if not item.is_sold(today):
        return _("is not sold now")
    if item.sku in owned:
        return _("is owned already")
    newer = products.successors(item.sku) & owned
    if newer:
        return _("was replaced by %(product)s, which is owned already", product=products.name(min(newer)))
    if item.sku in refused:
        return _("was declined before")
    lacking = item.requires - owned
    if lacking:
        return _("requires %(product)s, which is not owned", product=products.name(min(lacking)))
    if item.quote(currency, today) is None:
        return _("has no price in %(currency)s", currency=currency)
    return ""


def refused(user_id: int) -> set[str]:
    """SKUs that a customer has declined and that are not suggested again yet. “Later” counts for the time between two
    offers, since that is what was said.
    """
    chosen = settings(RecommendationSettings)
    limits: Mapping[bool, datetime] = {
        True: now() - timedelta(days=max(1, chosen.cooling_days)),
        False: now() - timedelta(days=chosen.declined_days),
    }
    given = {"customer": user_id, "since": min(limits.values())}
    return {
        sku for sku, why, at in db.session.execute(_DECLINED, given) if at is not None and at > limits[why == LATER]
    }
