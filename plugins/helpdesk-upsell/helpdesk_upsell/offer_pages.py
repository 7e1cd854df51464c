"""What a customer opens by the link of an answer, without an account and without a script: the offer, and an answer.

Opening a link records nothing: programs that look into mails open every link. Only the button of the page does.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import redirect, request, url_for
from flask_babel import force_locale, get_locale
from flask_login import current_user

from helpdesk.api import Invalid, Refused, db, known_locale, public_page
from helpdesk.api import gettext as _
from helpdesk_upsell import catalogue, offers, suggestions
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.forms import RowForm
from helpdesk_upsell.models import ACCEPTED, BOUGHT, DECLINE_REASONS, DECLINED, INTERESTED, Suggestion

_ANSWERS = (ACCEPTED, INTERESTED, DECLINED)


@pages.get("/o/<int:suggestion_id>/<token>")
@public_page
def offer(suggestion_id: int, token: str) -> Any:
    """The offer: what it is, what it costs, why we thought of it; or what was answered."""
    row = offers.open_offer(suggestion_id, token)
    if row is None:
        return show("gone.html", 404, ended=False)
    with _language(row):
        return _page(row, {})


@pages.post("/o/<int:suggestion_id>/<token>")
@public_page
def answer_offer(suggestion_id: int, token: str) -> Any:
    """Keep the answer. The same answer twice is one."""
    row = offers.open_offer(suggestion_id, token)
    if row is None:
        return show("gone.html", 404, ended=False)
    with _language(row):
        if offers.state_of(row) != "open":
            return _page(row, {})
        form = RowForm(request.form.to_dict())
        answer = form.typed.get("answer", "")
        if answer not in _ANSWERS:
            form.refuse("answer", _("Choose one of the answers."))
        if answer == DECLINED:
            form.choice("why", ("other", *DECLINE_REASONS))
            form.text("words", longest=suggestions.WORDS_LENGTH)
        if form.errors:
            return _page(row, form.typed, form.errors)
        try:
            _keep(row, answer, form)
        except (Invalid, Refused) as problem:
            db.session.rollback()
            row = offers.open_offer(suggestion_id, token)
            return _page(row, form.typed, {"form": str(problem)}) if row is not None else show("gone.html", 404)
    return redirect(url_for("upsell.offer", suggestion_id=suggestion_id, token=token), 303)


def _keep(row: Suggestion, answer: str, form: RowForm) -> None:
    if answer == ACCEPTED:
        suggestions.accept(row, None, by_customer=True)
    elif answer == INTERESTED:
        suggestions.interested(row, None, by_customer=True)
    else:
        suggestions.decline(
            row, form.values["why"], form.values["words"], None, by_customer=True, no_more="no_more" in form.typed
        )


def _page(row: Suggestion, typed: Any, errors: dict[str, str] | None = None) -> Any:
    state = offers.state_of(row)
    if state == "over":
        return show("gone.html", 410, ended=True)
    is_interested = row.state == INTERESTED and "change" not in request.args and not errors
    if state == "answered" or is_interested:
        return show("answered.html", suggestion=row, name=_name(row), accepted=row.state in (ACCEPTED, BOUGHT))
    return show("offer.html", 422 if errors else 200, suggestion=row, name=_name(row), typed=typed, errors=errors or {})


def _name(row: Suggestion) -> str:
    """What it is called in the language that is spoken now."""
    return catalogue.name_of(row.product, str(get_locale())) if row.product is not None else row.name or row.sku


def _language(row: Suggestion) -> AbstractContextManager[Any]:
    """The customer's language, unless this browser, or the account of who has signed in, chose another."""
    chosen = any(name in request.cookies for name in ("locale", "__Host-locale"))
    chosen = chosen or bool(current_user.is_authenticated and current_user.locale)
    known = known_locale(row.language) if row.language else None
    return force_locale(known) if known and not chosen else nullcontext()
