"""What was suggested, to whom, and what came of it."""

from typing import Any

from flask import request

from helpdesk.api import allowed, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_upsell import rules, suggestions, words
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.models import STATES
from helpdesk_upsell.permissions import MANAGE, USE

SHOWN = 50


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """The suggestions on tickets that the reader may see, the newest first."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    number = number_in(request.args.get("rule_id"))
    rule = rules.find_rule(number) if number is not None else None
    found = suggestions.listed(
        reader(), state or None, rule.id if rule is not None else None, number_in(request.args.get("after")), SHOWN + 1
    )
    return show(
        "suggestions.html",
        suggestions=found[:SHOWN],
        more=found[SHOWN - 1].id if len(found) > SHOWN else None,
        state=state,
        states=[("", _("All")), *words.states()],
        rule=rule,
        may_manage=allowed(reader(), MANAGE),
    )
