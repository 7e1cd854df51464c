"""The rooms in the administration, and what the record calls what is done there."""

from helpdesk.api import Act, Room, User, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_upsell import rules
from helpdesk_upsell.permissions import MANAGE


@hookimpl
def register_acts() -> list[Act]:
    """What the record calls what is done with the catalogue and with rules."""
    return [
        Act("upsell.product_saved", _l("Product of the catalogue changed")),
        Act("upsell.price_changed", _l("Price changed")),
        Act("upsell.relation_changed", _l("What goes with a product changed")),
        Act("upsell.promotion_saved", _l("Promotion changed")),
        Act("upsell.rule_saved", _l("Rule for recommendations changed")),
        Act("upsell.rule_switched", _l("Rule for recommendations switched on or off")),
        Act("upsell.rule_deleted", _l("Rule for recommendations deleted")),
        Act("upsell.rule_stopped", _l("Rule for recommendations stopped by itself")),
    ]


@hookimpl
def admin_rooms(user: User) -> list[Room]:
    """What is recommended, to whom, and what there is to recommend."""
    about = _("What is recommended to whom, what there is to recommend, and whether it helps")
    return [Room(_("Recommendations"), "upsell.rule_list", about, "bulb", MANAGE, rules.stopped_count(), 48)]
