"""The room of the mailboxes: how each does, its form, its test, and what is done with it."""

import re
import secrets
import shlex
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import delete, select

from helpdesk.api import (
    Team,
    address,
    audit,
    db,
    locales,
    now,
    permission_required,
    proof_required,
    reader,
    settings,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_email import fetching, signing_in
from helpdesk_email.blueprint import pages
from helpdesk_email.forms import ADDRESS, MailForm
from helpdesk_email.models import DELETE, HANDED, IMAP, MOVE, POP3, SEEN, FetchedMail, Mailbox, Server
from helpdesk_email.rooms import MANAGE, too_many_tests
from helpdesk_email.settings import HOSTS, NONE, STARTTLS, TLS, IncomingSettings

# Servers' clocks differ: what came so shortly before is new.
_SKEW = timedelta(minutes=1)
# What is on the server already when a mailbox is added.
_LEAVE, _TAKE = "leave", "take"
# What an ordinary server listens at, by way in and security.
_PORTS = {
    (IMAP, TLS): 993,
    (IMAP, STARTTLS): 143,
    (IMAP, NONE): 143,
    (POP3, TLS): 995,
    (POP3, STARTTLS): 110,
    (POP3, NONE): 110,
}


@pages.get("/mailboxes")
@permission_required(MANAGE)
def mailboxes() -> Any:
    """Every mailbox with its state."""
    found = db.session.scalars(select(Mailbox).order_by(Mailbox.address)).all()
    teams = {team.id: team for team in db.session.scalars(select(Team))}
    return render_template("email/rooms/mailboxes.html", mailboxes=found, teams=teams, state=state)


@pages.get("/mailboxes/new")
@permission_required(MANAGE)
def new_mailbox() -> Any:
    """The form of a new mailbox."""
    return _page(None, {"kind": IMAP, "security": TLS, "folder": "INBOX", "afterwards": SEEN, "there": _LEAVE})


@pages.post("/mailboxes/new")
@permission_required(MANAGE)
@proof_required
def add_mailbox() -> Any:
    """Make a mailbox."""
    form = _read(MailForm(request.form), None)
    there = form.choice("there", (_LEAVE, _TAKE))
    del form.values["there"]
    if form.errors:
        return _page(None, signing_in.as_typed(form), form)
    with transaction():
        box = Mailbox(**form.values, since=None if there == _TAKE else now() - _SKEW)
        db.session.add(box)
        db.session.flush()
        _note("email.mailbox_added", box)
    flash(_("The mailbox was added."))
    return _after_saving(box)


@pages.get("/mailboxes/<int:mailbox_id>")
@permission_required(MANAGE)
def mailbox(mailbox_id: int) -> Any:
    """One mailbox: its state, its form."""
    box = _mailbox(mailbox_id)
    return _page(box, signing_in.as_saved(box))


@pages.post("/mailboxes/<int:mailbox_id>")
@permission_required(MANAGE)
@proof_required
def save_mailbox(mailbox_id: int) -> Any:
    """Change a mailbox."""
    box = _mailbox(mailbox_id)
    form = _read(MailForm(request.form), box)
    if form.errors:
        return _page(box, signing_in.as_typed(form), form)
    with transaction():
        _note("email.mailbox_changed", box, signing_in.change(box, form))
    flash(_("The mailbox was changed."))
    return _after_saving(box)


def _after_saving(box: Mailbox) -> Any:
    if "test" in request.form:
        return _tested(box)
    return redirect(url_for("email.mailbox", mailbox_id=box.id), 303)


@pages.post("/mailboxes/<int:mailbox_id>/test")
@permission_required(MANAGE)
def test_mailbox(mailbox_id: int) -> Any:
    """Connect, sign in, open the folder; say exactly what fails."""
    return _tested(_mailbox(mailbox_id))


def _tested(box: Mailbox) -> Any:
    # With imap-tools: not while the desk starts.
    from helpdesk_email import trying

    return _page(box, signing_in.as_saved(box), checks=too_many_tests() or trying.check(box))


@pages.post("/mailboxes/<int:mailbox_id>/fetch")
@permission_required(MANAGE)
def fetch_mailbox(mailbox_id: int) -> Any:
    """Have a worker look for mail at once."""
    box = _mailbox(mailbox_id)
    with transaction():
        fetching.ask(box.id)
        _note("email.mailbox_asked", box)
    flash(_("A worker looks for mail now."))
    return redirect(url_for("email.mailbox", mailbox_id=mailbox_id), 303)


@pages.get("/mailboxes/<int:mailbox_id>/take")
@permission_required(MANAGE)
def confirm_take_mailbox(mailbox_id: int) -> Any:
    """Ask whether old mail is to become tickets."""
    box = _mailbox(mailbox_id)
    return render_template(
        "admin/confirm.html",
        heading=_("Take in what is there as well?"),
        code=box.address,
        lead=_("Each mail that was left on its server becomes a ticket. What came in already does not come twice."),
        button=_("Take it in"),
        action=url_for("email.take_mailbox", mailbox_id=box.id),
        back=url_for("email.mailbox", mailbox_id=box.id),
    )


@pages.post("/mailboxes/<int:mailbox_id>/take")
@permission_required(MANAGE)
def take_mailbox(mailbox_id: int) -> Any:
    """Take in what was left on its server, from the beginning."""
    box = _mailbox(mailbox_id)
    with transaction():
        box.since = box.uidvalidity = None
        db.session.execute(delete(FetchedMail).where(FetchedMail.mailbox_id == box.id))
        fetching.ask(box.id)
        _note("email.mailbox_begun_anew", box)
    flash(_("A worker takes in what is there."))
    return redirect(url_for("email.mailbox", mailbox_id=mailbox_id), 303)


@pages.post("/mailboxes/<int:mailbox_id>/<any(pause, resume):act>")
@permission_required(MANAGE)
def switch_mailbox(mailbox_id: int, act: str) -> Any:
    """Stop or go on fetching."""
    box = _mailbox(mailbox_id)
    with transaction():
        box.active = act == "resume"
        _note("email.mailbox_resumed" if box.active else "email.mailbox_paused", box)
    flash(_("Its mail is fetched again.") if act == "resume" else _("Its mail is not fetched until you go on."))
    return redirect(url_for("email.mailbox", mailbox_id=mailbox_id), 303)


@pages.post("/mailboxes/<int:mailbox_id>/secret")
@permission_required(MANAGE)
@proof_required
def new_secret(mailbox_id: int) -> Any:
    """Make what a provider signs its posts with, and show it this once. The one before is void."""
    box = _mailbox(mailbox_id)
    secret = secrets.token_urlsafe(32)
    with transaction():
        box.secret = secret
        _note("email.mailbox_secret_made", box)
    return _page(box, signing_in.as_saved(box), secret=secret)


@pages.get("/mailboxes/<int:mailbox_id>/delete")
@permission_required(MANAGE)
def confirm_delete_mailbox(mailbox_id: int) -> Any:
    """Ask whether a mailbox is to go."""
    box = _mailbox(mailbox_id)
    return render_template(
        "admin/confirm.html",
        heading=_("Delete this mailbox?"),
        code=box.address,
        lead=_(
            "Its mail is no longer fetched, and answers on its tickets leave by the desk's own address. "
            "What came in stays, here and on its server."
        ),
        button=_("Delete"),
        action=url_for("email.delete_mailbox", mailbox_id=box.id),
        back=url_for("email.mailbox", mailbox_id=box.id),
        danger=True,
    )


@pages.post("/mailboxes/<int:mailbox_id>/delete")
@permission_required(MANAGE)
def delete_mailbox(mailbox_id: int) -> Any:
    """Delete a mailbox; what it brought stays."""
    box = _mailbox(mailbox_id)
    with transaction():
        _note("email.mailbox_deleted", box)
        db.session.execute(delete(Mailbox).where(Mailbox.id == mailbox_id))
    flash(_("The mailbox was deleted."))
    return redirect(url_for("email.mailboxes"), 303)


def state(box: Mailbox) -> tuple[str, str]:
    """How a mailbox does, as (tone, words)."""
    if not box.active:
        return "grey", _("Paused")
    if box.error:
        return "red", _("Fails")
    if box.kind == HANDED:
        return "green", _("Ready")
    if box.fetching_until is not None and box.fetching_until > now():
        return "blue", _("Fetching")
    if box.polled_at is None:
        return "amber", _("Not fetched yet")
    return "green", _("Works")


def _mailbox(mailbox_id: int) -> Mailbox:
    found = db.session.get(Mailbox, mailbox_id) if mailbox_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _note(action: str, box: Mailbox, changed: Mapping[str, Any] | None = None) -> None:
    audit(action, reader(), box.address, signing_in.for_the_record(changed or {}))


# ---- the form


def _read(form: MailForm, box: Mailbox | None) -> MailForm:
    ours = form.line("address", required=True).lower()
    form.values["address"] = ours
    if ours and not ADDRESS.fullmatch(ours):
        form.refuse("address", _("Enter an address like support@shop.example."))
    query = select(Mailbox.id).where(Mailbox.address == ours, Mailbox.id != (box.id if box else 0))
    if db.session.scalar(query) is not None:
        form.refuse("address", _("There is a mailbox with this address already."))
    form.line("sender_name", longest=200)
    form.row("team_id", set(db.session.scalars(select(Team.id))))
    form.values["locale"] = form.choice("locale", ("", *(code for code, _name in locales()))) or None
    form.text("signature", longest=5_000)
    form.row("server_id", set(db.session.scalars(select(Server.id))))
    trusted = form.line("trusted_hosts", longest=1_000)
    if trusted and not re.fullmatch(HOSTS, trusted):
        form.refuse("trusted_hosts", _("Enter names like mx.shop.example, separated by commas."))
    form.tick("exchange")
    kind = form.choice("kind", (IMAP, POP3, HANDED))
    fetched = kind != HANDED
    security = form.choice("security", (TLS, STARTTLS, NONE))
    before = _PORTS.get((box.kind, box.security), box.port) if box else 0
    signing_in.read(form, box, needed=fetched, port=_PORTS.get((kind, security), 0), usual_before=before)
    form.values["folder"] = form.line("folder") or "INBOX"
    form.choice("afterwards", (SEEN, MOVE, DELETE))
    form.line("move_to", required=kind == IMAP and form.values["afterwards"] == MOVE)
    if kind == POP3 and form.values["afterwards"] == MOVE:
        form.refuse("afterwards", _("POP3 knows no folders. Leave the mail there, or delete it."))
    return form


def _page(
    box: Mailbox | None,
    values: Mapping[str, Any],
    form: MailForm | None = None,
    secret: str = "",
    checks: Any = None,
) -> Any:
    teams = db.session.scalars(select(Team).where(Team.active).order_by(Team.name)).all()
    servers = db.session.scalars(select(Server).order_by(Server.position, Server.id)).all()
    page = render_template(
        "email/rooms/mailbox.html",
        box=box,
        values=values,
        errors=form.errors if form else {},
        had_secret=form is not None and form.had_secret,
        saved=signing_in.which_are_saved(box),
        state=state,
        secret=secret,
        checks=checks,
        teams=teams,
        servers=[("", _("As their order says")), *((server.id, server.name) for server in servers)],
        providers=signing_in.provider_choices(),
        securities=[(TLS, _("TLS")), (STARTTLS, _("STARTTLS")), (NONE, _("No encryption"))],
        kinds=[
            (IMAP, _("Fetch it by IMAP"), _("Nearly every mailbox can do that.")),
            (POP3, _("Fetch it by POP3"), _("For mailboxes that know nothing else.")),
            (HANDED, _("It is handed in"), _("By your own mail server, or by a provider that posts mail.")),
        ],
        there=[
            (_LEAVE, _("Leave it; only new mail becomes tickets")),
            (_TAKE, _("Take it in as well")),
        ],
        post_url=address() + url_for("email.take_posted", address=box.address) if box else "",
        transport=_transport(box) if box else "",
        command=_command(box) if box else "",
        afterwards=[
            (SEEN, _("Leave it there, marked as read")),
            (MOVE, _("Move it to another folder")),
            (DELETE, _("Delete it there")),
        ],
    )
    return make_response(page, 422 if form is not None and form.errors else 200)


def _command(box: Mailbox) -> str:
    """What a mail server pipes mail into, on this machine."""
    program = Path(sys.executable).with_name("helpdesk")
    home = current_app.config["HELPDESK"].home
    words = ["env", f"HELPDESK_HOME={home}", str(program) if program.exists() else "helpdesk"]
    return shlex.join([*words, "mail", "receive", "--account", box.address])


def _transport(box: Mailbox) -> str:
    """The line of a mail server's transport map, where the worker listens."""
    place = settings(IncomingSettings).listen_lmtp
    return f"{box.address} lmtp:inet:{place}" if place else ""
