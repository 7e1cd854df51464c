"""Promised calls in the timeline that the plugin of customer records keeps of every contact."""

from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import User, hookimpl
from helpdesk.api import gettext as _
from helpdesk_callbacks import words
from helpdesk_callbacks.listing import visible_calls
from helpdesk_callbacks.models import CALL, DONE, Call

PROMISED = "callbacks_call"


@hookimpl(optionalhook=True)
def customers_timeline(page: Any) -> list[Any]:
    """When a call was promised, and what became of it, on tickets that the reader sees. One query."""
    people: Any = page.person_ids
    if page.organization_id is not None:
        people = select(User.id).where(User.organization_id == page.organization_id)
    query = visible_calls(page.viewer).where(Call.person_id.in_(people), Call.kind == CALL).with_only_columns(Call)
    query = query.options(
        joinedload(Call.agent), joinedload(Call.team), joinedload(Call.reason_row), joinedload(Call.ticket)
    )
    found = page.newest(PROMISED, query, Call.starts_at, Call.id)
    return [
        page.entry(PROMISED, call.id, call.starts_at, _("Promised call: %(state)s", state=words.state_name(call.state)),
                   text=words.about(call), icon="phone-call", tone="green" if call.state == DONE else "",
                   by=words.who(call), ticket=call.ticket_id, url=url_for("callbacks.call", call_id=call.id))
        for call in found
    ]  # fmt: skip
