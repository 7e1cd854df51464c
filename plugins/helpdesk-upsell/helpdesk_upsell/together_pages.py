"""What customers bought together, with the figures that say how sure that is."""

from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import gettext as _
from helpdesk.api import number_in, permission_required, schedule, transaction
from helpdesk_upsell import catalogue, mining
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.conditions import Names
from helpdesk_upsell.models import Pair
from helpdesk_upsell.permissions import MANAGE

SHOWN = 50


@dataclass(frozen=True)
class Line:
    """A pair as it is read: who has the first has the second as well."""

    sku_a: str
    sku_b: str
    count_a: int
    count_b: int
    together: int
    support: float
    confidence: float
    lift: float


@pages.get("/together")
@permission_required(MANAGE)
def together() -> Any:
    """The pairs that were counted last, the most frequent first; those of one product by ?sku=."""
    sku = request.args.get("sku", "").strip()[: catalogue.SKU_LENGTH]
    found = mining.pairs(catalogue.key_of(sku) if sku else None, number_in(request.args.get("after")), SHOWN + 1)
    more = found[SHOWN - 1].id if len(found) > SHOWN else None
    names = Names()
    return show(
        "together.html",
        rows=[_line(one, is_fixed=bool(sku)) for one in found[:SHOWN]],
        more_url=url_for("upsell.together", sku=sku or None, after=more) if more else "",
        sku=sku,
        counted=mining.last_count(),
        name=names.products.name,
    )


@pages.post("/together")
@permission_required(MANAGE)
def count_now() -> Any:
    """Count anew what goes together; a worker does it."""
    with transaction():
        schedule(mining.MINE)
    flash(_("It is being counted. Look again in a minute."))
    return redirect(url_for("upsell.together"), 303)


def _line(pair: Pair, is_fixed: bool) -> Line:
    """Without a product that was asked for, the direction that is surer."""
    first, second, count_a, count_b = pair.sku_a, pair.sku_b, pair.count_a, pair.count_b
    if not is_fixed and count_b < count_a:
        first, second, count_a, count_b = second, first, count_b, count_a
    return Line(first, second, count_a, count_b, pair.together, pair.support, pair.together / count_a, pair.lift)
