"""How the reader signs in: password, second step, where they are signed in. For the team and for customers."""

from typing import Any

import segno
from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core import accounts, second_factors, sign_in_sessions, trusted_devices
from helpdesk.core.account_errors import AccountError
from helpdesk.core.models import User
from helpdesk.web.access import sign_in_required
from helpdesk.web.auth import browsers
from helpdesk.web.auth.blueprint import auth
from helpdesk.web.auth.sessions import start_page
from helpdesk.web.proving import proof_required
from helpdesk.web.session import current_session, reader


@auth.app_template_global()
def has_second_step() -> bool:
    """Whether the reader is asked for a code besides the password."""
    current = current_session()
    return current is not None and current.has_second_factor


@auth.get("/security")
@sign_in_required
def security() -> Any:
    """Password, second step, and the browsers that are signed in or remembered."""
    return _page({})


@auth.post("/security/password")
@sign_in_required
def change_password() -> Any:
    """A new password; every other session ends at once, this one goes on."""
    new = request.form.get("new_password", "")
    try:
        # Counted, so that a browser left open is no way to try passwords.
        if not accounts.confirm_password(reader(), request.form.get("password", "")):
            raise AccountError("password", _("This is not your present password; type it again."))
        if new != request.form.get("repeated", ""):
            raise AccountError("repeated", _("The two new passwords are not the same; type them again."))
        _set_password(new)
    except AccountError as problem:
        return _page({problem.field: str(problem)})
    flash(_("Your password was changed. You are signed out everywhere else."))
    return redirect(url_for("auth.security"), 303)


def _set_password(new: str) -> None:
    try:
        accounts.set_password(reader(), new, reader(), keep=_session_id())
    except AccountError as problem:
        raise AccountError("new_password", str(problem)) from problem


# ---- where somebody is signed in


@auth.post("/security/sessions/<int:session_id>/end")
@sign_in_required
def end_session(session_id: int) -> Any:
    """Sign out one other browser."""
    if session_id >= 2**63 or not accounts.end_session(reader(), session_id):
        abort(404)
    flash(_("That browser is signed out."))
    return redirect(url_for("auth.security"), 303)


@auth.post("/security/sessions/end-others")
@sign_in_required
def end_other_sessions() -> Any:
    """Sign out everywhere else."""
    ended = accounts.end_sessions(reader(), reader(), keep=_session_id())
    flash(ngettext("%(num)s other browser is signed out.", "%(num)s other browsers are signed out.", ended))
    return redirect(url_for("auth.security"), 303)


@auth.post("/security/devices/<int:device_id>/forget")
@sign_in_required
def forget_device(device_id: int) -> Any:
    """Ask for the code in one browser again."""
    if device_id >= 2**63 or not accounts.forget_device(reader(), device_id):
        abort(404)
    flash(_("That browser is asked for a code again."))
    return redirect(url_for("auth.security"), 303)


# ---- the second step


@auth.get("/second-factor")
@sign_in_required
def second_factor() -> Any:
    """What the second step is, with the button that begins it."""
    user = reader()
    if second_factors.of(user) is not None:
        return redirect(url_for("auth.security"), 303)
    return render_template("auth/second_factor.html", required=second_factors.is_required(user))


@auth.post("/second-factor")
@sign_in_required
@proof_required
def prepare_second_factor() -> Any:
    """Show the picture and the key for the app; nothing counts before a code of it was right."""
    second_factors.prepare(reader(), anew=True)
    return _set_up({})


@auth.post("/second-factor/confirm")
@sign_in_required
@proof_required
def confirm_second_factor() -> Any:
    """The code is right: the second step is on. Shows the recovery codes, once."""
    try:
        codes = second_factors.confirm(reader(), request.form.get("code", ""), keep=_session_id())
    except AccountError as problem:
        return _set_up({"code": str(problem)})
    return _codes(codes)


@auth.post("/second-factor/off")
@sign_in_required
@proof_required
def switch_second_factor_off() -> Any:
    """Ask for no code any more."""
    try:
        second_factors.switch_off(reader(), keep=_session_id())
    except AccountError as problem:
        return _page({problem.field: str(problem)})
    flash(_("The second step is off. You are signed out everywhere else."))
    return redirect(url_for("auth.security"), 303)


@auth.post("/security/recovery-codes")
@sign_in_required
@proof_required
def make_recovery_codes() -> Any:
    """New recovery codes in place of those before; shown once."""
    if second_factors.of(reader()) is None:
        abort(404)
    return _codes(second_factors.new_recovery_codes(reader()))


def _codes(codes: list[str]) -> str:
    return render_template("auth/recovery_codes.html", codes=codes, onward=start_page(reader()))


def _set_up(errors: dict[str, str]) -> Any:
    user = reader()
    factor = second_factors.prepare(user)
    address = second_factors.address(factor, user)
    # Black on white in the dark, too: it is for cameras.
    page = render_template(
        "auth/set_up.html",
        picture=segno.make(address, error="m").svg_data_uri(border=2, light="white"),
        key=" ".join(factor.secret[start : start + 4] for start in range(0, len(factor.secret), 4)),
        address=address,
        errors=errors,
    )
    return make_response(page, 422 if errors else 200)


def _page(errors: dict[str, str]) -> Any:
    user: User = reader()
    factor = second_factors.of(user)
    page = render_template(
        "auth/security.html",
        errors=errors,
        factor=factor,
        required=second_factors.is_required(user),
        codes_left=second_factors.recovery_codes_left(user) if factor is not None else 0,
        few=second_factors.FEW,
        sessions=sign_in_sessions.of(user),
        current=_session_id(),
        devices=trusted_devices.of(user),
        this_device=trusted_devices.find(user, browsers.device_secret()),
    )
    return make_response(page, 422 if errors else 200)


def _session_id() -> int | None:
    current = current_session()
    return current.id if current is not None else None
