"""The room of the servers that mail leaves by: their order, their form, their test."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import delete, func, select

from helpdesk.api import audit, db, permission_required, proof_required, reader, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_email import checking, signing_in
from helpdesk_email import servers as servers_of
from helpdesk_email.blueprint import pages
from helpdesk_email.forms import MailForm
from helpdesk_email.models import MainServer, Server
from helpdesk_email.rooms import MANAGE, too_many_tests
from helpdesk_email.settings import NONE, STARTTLS, TLS, EmailSettings

_PORTS = {TLS: 465, STARTTLS: 587, NONE: 25}
_WAYS = {"up": -1, "down": 1}


@pages.get("/servers")
@permission_required(MANAGE)
def servers() -> Any:
    """Every server in the order in which they are tried; None stands for that of the settings."""
    return _servers()


@pages.post("/servers/main/test")
@permission_required(MANAGE)
def test_main_server() -> Any:
    """Try the server of the settings, and send a mail to whoever asks; say exactly what fails."""
    if refused := too_many_tests():
        return _servers(refused)
    checks = checking.check(reader().email or "")
    if all(step.ok for step in checks):
        servers_of.main_works(settings(EmailSettings))
    return _servers(checks)


def _servers(checks: Any = None) -> Any:
    main = settings(EmailSettings)
    return render_template(
        "email/rooms/servers.html",
        servers=_in_order(),
        main=main,
        main_state=servers_of.main_state(main),
        state=state,
        checks=checks,
    )


@pages.get("/servers/new")
@permission_required(MANAGE)
def new_server() -> Any:
    """The form of a new server."""
    return _page(None, {"security": STARTTLS})


@pages.post("/servers/new")
@permission_required(MANAGE)
@proof_required
def add_server() -> Any:
    """Make a server; it is the last that is tried."""
    form = _read(MailForm(request.form), None)
    if form.errors:
        return _page(None, signing_in.as_typed(form), form)
    with transaction():
        last = db.session.scalar(select(func.max(Server.position))) or 0
        server = Server(**form.values, position=max(last, 0) + 1)
        db.session.add(server)
        db.session.flush()
        _note("email.server_added", server)
    flash(_("The server was added."))
    return _after_saving(server)


@pages.get("/servers/<int:server_id>")
@permission_required(MANAGE)
def server(server_id: int) -> Any:
    """One server: its state, its form."""
    found = _server(server_id)
    return _page(found, signing_in.as_saved(found))


@pages.post("/servers/<int:server_id>")
@permission_required(MANAGE)
@proof_required
def save_server(server_id: int) -> Any:
    """Change a server; it is tried again at once."""
    found = _server(server_id)
    form = _read(MailForm(request.form), found)
    if form.errors:
        return _page(found, signing_in.as_typed(form), form)
    with transaction():
        _note("email.server_changed", found, signing_in.change(found, form, rests_until=None))
    flash(_("The server was changed."))
    return _after_saving(found)


def _after_saving(found: Server) -> Any:
    if "test" in request.form:
        return _tested(found)
    return redirect(url_for("email.server", server_id=found.id), 303)


@pages.post("/servers/<int:server_id>/test")
@permission_required(MANAGE)
def test_server(server_id: int) -> Any:
    """Connect, sign in, and send a mail to whoever asks; say exactly what fails."""
    return _tested(_server(server_id))


def _tested(found: Server) -> Any:
    checks = too_many_tests() or checking.check_server(found, reader().email or "")
    return _page(found, signing_in.as_saved(found), checks=checks)


@pages.post("/servers/<int:server_id>/<any(pause, resume):act>")
@permission_required(MANAGE)
def switch_server(server_id: int, act: str) -> Any:
    """Leave a server out, or use it again."""
    found = _server(server_id)
    with transaction():
        found.active, found.rests_until = act == "resume", None
        _note("email.server_resumed" if found.active else "email.server_paused", found)
    flash(_("It is used again.") if act == "resume" else _("It is left out until you go on."))
    return redirect(url_for("email.server", server_id=server_id), 303)


@pages.post("/servers/<int:server_id>/<any(up, down):way>")
@permission_required(MANAGE)
def order_server(server_id: int, way: str) -> Any:
    """Try a server sooner or later; it may change places with that of the settings as well."""
    found = _server(server_id)
    with transaction():
        rows = _in_order()
        here = rows.index(found)
        there = min(max(here + _WAYS[way], 0), len(rows) - 1)
        rows.insert(there, rows.pop(here))
        main = rows.index(None)
        for place, row in enumerate(rows):
            if row is not None:
                row.position = place - main
        _note("email.server_moved", found)
    return redirect(url_for("email.servers"), 303)


@pages.get("/servers/<int:server_id>/delete")
@permission_required(MANAGE)
def confirm_delete_server(server_id: int) -> Any:
    """Ask whether a server is to go."""
    found = _server(server_id)
    return render_template(
        "admin/confirm.html",
        heading=_("Delete this server?"),
        code=found.name,
        lead=_("Mail leaves by the others. Mailboxes that prefer it use them in their order."),
        button=_("Delete"),
        action=url_for("email.delete_server", server_id=found.id),
        back=url_for("email.server", server_id=found.id),
        danger=True,
    )


@pages.post("/servers/<int:server_id>/delete")
@permission_required(MANAGE)
def delete_server(server_id: int) -> Any:
    """Delete a server."""
    found = _server(server_id)
    with transaction():
        _note("email.server_deleted", found)
        db.session.execute(delete(Server).where(Server.id == server_id))
    flash(_("The server was deleted."))
    return redirect(url_for("email.servers"), 303)


def state(found: Server | MainServer | None) -> tuple[str, str]:
    """How a server does, as (tone, words); None: that of the settings before its first mail."""
    if found is None:
        return "grey", _("Not used yet")
    if isinstance(found, Server) and not found.active:
        return "grey", _("Paused")
    if found.error:
        return "red", _("Fails")
    return ("green", _("Works")) if found.sent_at else ("grey", _("Not used yet"))


def _in_order() -> list[Server | None]:
    found: Sequence[Server] = db.session.scalars(select(Server).order_by(Server.position, Server.id)).all()
    before = [row for row in found if row.position <= 0]
    return [*before, None, *(row for row in found if row.position > 0)]


def _server(server_id: int) -> Server:
    found = db.session.get(Server, server_id) if server_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _note(action: str, found: Server, changed: Mapping[str, Any] | None = None) -> None:
    audit(action, reader(), found.name, signing_in.for_the_record(changed or {}))


def _read(form: MailForm, found: Server | None) -> MailForm:
    name = form.line("name", longest=100, required=True)
    query = select(Server.id).where(
        func.lower(Server.name) == func.lower(name), Server.id != (found.id if found else 0)
    )
    if name and db.session.scalar(query) is not None:
        form.refuse("name", _("There is a server with this name already."))
    security = form.choice("security", (STARTTLS, TLS, NONE))
    before = _PORTS.get(found.security, 587) if found else 0
    port = _PORTS.get(security, 587)
    signing_in.read(form, found, needed=True, port=port, usual_before=before, anonymous=True)
    return form


def _page(found: Server | None, values: Mapping[str, Any], form: MailForm | None = None, checks: Any = None) -> Any:
    page = render_template(
        "email/rooms/server.html",
        server=found,
        values=values,
        errors=form.errors if form else {},
        had_secret=form is not None and form.had_secret,
        saved=signing_in.which_are_saved(found),
        state=state,
        checks=checks,
        providers=signing_in.provider_choices(),
        securities=[(STARTTLS, _("STARTTLS")), (TLS, _("TLS")), (NONE, _("No encryption"))],
    )
    return make_response(page, 422 if form is not None and form.errors else 200)
