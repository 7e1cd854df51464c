"""The room of engines: how they do, a trial, and which one is asked first."""

from typing import Any

from flask import flash, redirect, request, url_for

from helpdesk.api import gettext as _
from helpdesk.api import now, permission_required, reader, within_limit
from helpdesk_multilingual import choosing, engines
from helpdesk_multilingual.blueprint import pages, show
from helpdesk_multilingual.permissions import ENGINES

_LONGEST, _TRIALS, _PLACES = 2_000, 20, 4


@pages.get("/engines")
@permission_required(ENGINES)
def engines_room() -> Any:
    """All three on one page."""
    return _room()


@pages.post("/engines/check")
@permission_required(ENGINES)
def check_engine() -> Any:
    """Ask an engine whether it is there; one that rests is asked again from now on."""
    key = request.form.get("engine", "")
    if key not in _keys():
        return _room(422, form_error=_("Choose one of the list."))
    if not within_limit("multilingual.try", reader(), _TRIALS):
        return _room(422, form_error=_("These were many trials. Wait ten minutes."))
    row = engines.check(key, reader())
    if row.problem:
        return _room(form_error=_("%(engine)s: %(problem)s", engine=row.label, problem=row.problem))
    flash(_("%(engine)s answers.", engine=row.label))
    return redirect(url_for("multilingual.engines_room"), 303)


@pages.post("/engines/try")
@permission_required(ENGINES)
def try_engine() -> Any:
    """Translate a sentence by one engine, and say how long it took."""
    typed = {name: request.form.get(name, "") for name in ("engine", "source", "target", "text")}
    text, errors = typed["text"].strip(), {}
    source, target = choosing.read(typed, "source"), choosing.read(typed, "target")
    if typed["engine"] not in _keys():
        errors["engine"] = _("Choose one of the list.")
    if not source:
        errors["source"] = _("Choose one of the list.")
    if not target:
        errors["target"] = _("Choose one of the list.")
    if not text:
        errors["text"] = _("Write a sentence.")
    elif len(text) > _LONGEST:
        errors["text"] = _("This is too long; %(number)s characters fit.", number=_LONGEST)
    elif not errors and not within_limit("multilingual.try", reader(), _TRIALS):
        errors["text"] = _("These were many trials. Wait ten minutes.")
    if errors:
        return _room(422, typed=typed, errors=errors)
    return _room(typed=typed, trial=engines.try_out(typed["engine"], text, source, target))


@pages.post("/engines/order")
@permission_required(ENGINES)
def save_order() -> Any:
    """Which engines are asked for a pair of languages, one after the other."""
    form = request.form
    chosen = list(dict.fromkeys(key for key in form.getlist("engine") if key))
    pair = (form.get("source", ""), form.get("target", ""))
    is_known = all(not code or choosing.read({"one": code}, "one") for code in pair)
    if not is_known or any(key not in _keys() for key in chosen):
        return _room(422, order={"pair": pair, "keys": chosen, "error": _("Choose from the lists.")})
    if not chosen:
        return _room(422, order={"pair": pair, "keys": chosen, "error": _("Choose one engine at least.")})
    engines.save_order(*pair, chosen, reader())
    flash(_("The order was saved."))
    return redirect(url_for("multilingual.engines_room", _anchor="order"), 303)


@pages.post("/engines/order/forget")
@permission_required(ENGINES)
def forget_order() -> Any:
    """A pair of languages goes back to the usual order."""
    engines.forget_order(request.form.get("source", ""), request.form.get("target", ""), reader())
    flash(_("The usual order counts again."))
    return redirect(url_for("multilingual.engines_room", _anchor="order"), 303)


def _keys() -> list[str]:
    return [row.key for row in engines.listed()]


def _room(code: int = 200, **wrong: Any) -> Any:
    known = {"typed": {}, "errors": {}, "trial": None, "order": {}, "form_error": "", **wrong}
    return show(
        "engines.html",
        code,
        rows=engines.listed(),
        orders=engines.orders(),
        usual=engines.order_of("", ""),
        places=_PLACES,
        moment=now(),
        **known,
    )
