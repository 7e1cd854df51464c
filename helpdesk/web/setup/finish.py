"""Steps 3 to 5: mailbox, team, sample tickets. The new administrator is signed in by now."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import accounts, deliveries, samples, settings
from helpdesk.core.accounts import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.user import AGENT
from helpdesk.core.settings import DeskSettings, InvalidSettings
from helpdesk.core.teams import change_team, make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel
from helpdesk.web.session import reader, require_sign_in
from helpdesk.web.settings_form import fields_of, values_of
from helpdesk.web.setup.blueprint import page, setup

_INVITATIONS = 20


@setup.before_request
def _administrators_only() -> Any:
    later = ("setup.mailbox", "setup.save_mailbox", "setup.team", "setup.save_team", "setup.sample", "setup.done")
    return require_sign_in("setting.edit") if request.endpoint in later else None


@setup.get("/mailbox")
def mailbox() -> Any:
    """Step 3: how mail leaves."""
    group = settings.group(deliveries.DEFAULT_CHANNEL)
    if group is None:
        return redirect(url_for("setup.team"), 303)
    return page("mailbox", 3, fields=fields_of(group), checks=[], failed=False)


@setup.post("/mailbox")
def save_mailbox() -> Any:
    """Keep the settings, try the connection, and go on when it works (or when told to)."""
    group = settings.group(deliveries.DEFAULT_CHANNEL)
    if group is None:
        return redirect(url_for("setup.team"), 303)
    values = values_of(group, request.form)
    try:
        settings.save(group.model, values, reader())
    except InvalidSettings as problem:
        return page("mailbox", 3, 422, fields=fields_of(group, values, problem.errors), checks=[], failed=False)
    channel = _mail()
    if request.form.get("then") == "keep" or channel is None or channel.check is None:
        return redirect(url_for("setup.team"), 303)
    checks = list(channel.check(reader().email or ""))
    if any(step.ok is False for step in checks):
        return page("mailbox", 3, 422, fields=fields_of(group), checks=checks, failed=True)
    flash(_("Mail goes out; a test message is on its way to you."))
    return redirect(url_for("setup.team"), 303)


@setup.get("/team")
def team() -> Any:
    """Step 4: the first team and who is in it."""
    made = _made_team()
    people = "\n".join(_invited()) if made is not None else ""
    return page("team", 4, values={"name": made.name if made is not None else "", "people": people}, errors={})


@setup.post("/team")
def save_team() -> Any:
    """Make the team, invite the colleagues."""
    values = {key: request.form.get(key, "") for key in ("name", "people")}
    addresses = [line.strip() for line in values["people"].replace(",", "\n").splitlines() if line.strip()]
    if not values["name"].strip() and not addresses:
        return redirect(url_for("setup.sample"), 303)
    try:
        _make_team(values["name"], addresses)
    except Invalid as problem:
        return page("team", 4, 422, values=values, errors={problem.field: str(problem)})
    except AccountError as problem:
        return page("team", 4, 422, values=values, errors={"people": str(problem)})
    return redirect(url_for("setup.sample"), 303)


def _make_team(name: str, addresses: list[str]) -> None:
    """All or nothing: one address that cannot be used invites nobody."""
    if len(addresses) > _INVITATIONS:
        raise AccountError("people", _("Invite 20 people at most here; add the others later."))
    with transaction():
        teams = []
        if name.strip():
            made = _made_team()
            if made is not None and made.name != name.strip():
                _rename(made, name)
            teams = [made or make_team(name, reader(), members=[reader()])]
        for address in addresses:
            if accounts.account_of(address) is None:
                accounts.invite(address, "", AGENT, reader(), teams)


def _made_team() -> Team | None:
    """The team of this step, for who comes back to it; none once the desk is set up, when it is one of many."""
    if settings.get(DeskSettings).set_up:
        return None
    return db.session.scalar(select(Team).order_by(Team.id).limit(1))


def _rename(team: Team, name: str) -> None:
    change_team(
        team, reader(), name=name, color=team.color, private=team.private, active=team.active, members=team.members
    )


def _invited() -> list[str]:
    query = select(User.email).where(User.role == AGENT, User.id != reader().id, User.email.is_not(None))
    return [email for email in db.session.scalars(query.order_by(User.id).limit(_INVITATIONS)) if email]


@setup.get("/samples")
def sample() -> Any:
    """Step 5: a few sample tickets, or none."""
    channel = _mail()
    return page("samples", 5, fetches=channel is not None and channel.fetch is not None)


@setup.post("/samples")
def done() -> Any:
    """Make the sample tickets if they are wanted, and open the desk, or its settings where mailboxes are added."""
    if request.form.get("samples") == "some":
        samples.load_few(reader())
    settings.save(DeskSettings, {"set_up": True}, reader())
    flash(_("Your desk is ready."))
    return redirect(url_for("admin.home" if request.form.get("then") == "settings" else "desk.home"), 303)


def _mail() -> Channel | None:
    channel: Channel | None = manager.current().find("register_channels", deliveries.DEFAULT_CHANNEL)
    return channel
