"""Who a new ticket is for: found while somebody types, or made by what was typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from helpdesk.core import callers, merges
from helpdesk.core.accounts import AccountError
from helpdesk.core.callers import Candidate
from helpdesk.core.models import User
from helpdesk.core.permissions import require
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.session import reader

# What stands in the place of a person's number for somebody whom nobody knows yet.
NEW = "new"


@dataclass(frozen=True)
class CallerChoice:
    """What the page offers for what was typed."""

    candidates: Sequence[Candidate]
    # The number that is chosen, "new", or "".
    chosen: str
    name: str
    phone: str
    email: str
    errors: Mapping[str, str]
    # What the new ticket is about so far.
    subject: str

    @property
    def typed_someone(self) -> bool:
        return bool(self.name or self.phone or self.email)

    def is_alike(self, subject: str) -> bool:
        """Whether an open ticket may be about the same."""
        return merges.alike(self.subject, subject)


@desk.get("/tickets/new/callers")
def find_callers() -> Response:
    """Who may be meant, as part of the form of a new ticket."""
    user = reader()
    require(user, "ticket.open")
    choice = choice_of(request.args, user, {})
    if not wants_part():
        return make_response(render_template("desk/callers.html", choice=choice, new=NEW))
    return make_response(render_template("desk/parts/callers.html", choice=choice, new=NEW))


def choice_of(values: Mapping[str, str], user: User, errors: Mapping[str, str]) -> CallerChoice:
    """What the form offers: the people found, and the fields of somebody new filled in from the box."""
    who = " ".join(values.get("who", "").split())[:200]
    chosen = values.get("requester", "")
    found = callers.find_callers(who, user)
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
        if int(chosen) not in {one.user.id for one in found}:
            known = callers.candidate(int(chosen), user)
            # Whoever was chosen for other words is no longer, unless the box is empty or the form came back.
            found = [*([known] if known is not None and (not who or errors) else []), *found]
        chosen = chosen if int(chosen) in {one.user.id for one in found} else ""
    elif chosen != NEW:
        chosen = ""
    if not chosen and len(found) == 1:
        chosen = str(found[0].user.id)
    typed = {name: values.get(name, "").strip() for name in ("name", "phone", "email")}
    if who and not any(typed.values()):
        typed[callers.kind_of(who)] = who
    return CallerChoice(found, chosen, typed["name"], typed["phone"], typed["email"], errors, values.get("subject", ""))


def choose(form: Mapping[str, str], user: User) -> tuple[User, bool]:
    """Who is asking by a form that was sent, and whether they were made for it.

    Raises AccountError with ``who`` where it is not clear, or with the field of somebody new that cannot be kept.
    """
    chosen = form.get("requester", "")
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
        known = callers.candidate(int(chosen), user)
        if known is None:
            raise AccountError("who", _("This person is no longer there; look for them again."))
        return known.user, False
    who = " ".join(form.get("who", "").split())[:200]
    typed = {name: form.get(name, "").strip() for name in ("name", "phone", "email")}
    if chosen != NEW and (known_by := who or typed["phone"] or typed["name"]) and not (typed["email"] and not who):
        found = callers.find_callers(known_by, user)
        exact = [one.user for one in found if one.user.email == known_by.lower()]
        if exact:
            return exact[0], False
        if found:
            raise AccountError("who", _("Choose one of these people, or say that it is somebody new."))
    if not any(typed.values()):
        typed[callers.kind_of(who)] = who
    if typed["email"]:
        return callers.caller_with(typed["email"], typed["name"], typed["phone"], user), False
    return callers.make_caller(typed["name"], typed["phone"], user), True
