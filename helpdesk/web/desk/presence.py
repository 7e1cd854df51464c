"""Who else is on a ticket: asked by its page every two seconds."""

from typing import Any

from flask import abort, render_template, request

from helpdesk.core import presence
from helpdesk.core.permissions import find_ticket
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.session import reader


@desk.post("/tickets/<int:number>/presence")
def tell_presence(number: int) -> Any:
    """Note that the reader has the ticket open (``writing``: "", "reply", "note"); answers who else has.

    With ``leaving`` they have closed it, and nothing is answered.
    """
    user = reader()
    found = find_ticket(user, number)
    if found is None:
        abort(404)
    if "leaving" in request.form:
        presence.leave(found.id, user)
        return "", 204
    others = presence.seen(found.id, user, request.form.get("writing", ""))
    return render_template("desk/parts/here.html", others=others) if others else ("", 200)
