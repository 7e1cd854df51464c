"""The reader's own tokens."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _

from helpdesk.core import api_tokens
from helpdesk.core.api_tokens import TokenError
from helpdesk.web import token_form
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.proving import proof_required
from helpdesk.web.session import reader


@desk.get("/me/tokens")
def tokens() -> Any:
    """The tokens that act for the reader, and the form for one more."""
    return _page(token_form.blank(), {})


@desk.post("/me/tokens")
@proof_required
def make_token() -> Any:
    """Make one, and show it once."""
    values = token_form.typed()
    try:
        made = token_form.make(reader(), values, reader())
    except TokenError as problem:
        return _page(values, {problem.field: str(problem)})
    return token_form.shown_once(made, url_for("desk.tokens"))


@desk.post("/me/tokens/<int:number>/revoke")
def revoke_token(number: int) -> Any:
    """End one at once."""
    token = api_tokens.find(reader(), number)
    if token is None:
        abort(404)
    name = token.name
    api_tokens.revoke(token, reader())
    flash(_("The token “%(name)s” was revoked.", name=name))
    return redirect(url_for("desk.tokens"), 303)


def _page(values: dict[str, Any], errors: dict[str, str]) -> Any:
    user = reader()
    page = render_template("desk/tokens.html", values=values, errors=errors, **token_form.parts(user, user))
    return make_response(page, 422 if errors else 200)
