"""What a notice says, in the language that is spoken now."""

from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from helpdesk.core.models import Event, Notification
from helpdesk.core.models.notification import ANSWERED, ASSIGNED, DUE_SOON, MENTIONED, NEW_IN_TEAM, OVERDUE, TOLD

# What each kind is called where one chooses.
KIND_WORDS = {
    MENTIONED: (_l("Somebody mentions me"), _l("A colleague writes @ and your name in a note.")),
    ASSIGNED: (_l("A ticket becomes mine"), _l("Somebody gives it to you, or it is given by itself.")),
    OVERDUE: (_l("Overdue"), _l("The due date or a promise on your tickets has passed.")),
    DUE_SOON: (_l("Due soon"), _l("The due date or a promise on your tickets comes near.")),
    TOLD: (_l("Something else comes up"), _l("What a plugin has to tell you, such as a call that is due now.")),
    ANSWERED: (_l("A customer writes"), _l("On tickets that are yours or that you follow.")),
    NEW_IN_TEAM: (_l("New in my teams"), _l("A ticket that nobody has taken yet. One without a team is everybody's.")),
}


def sentence(notice: Notification) -> str:
    """What has happened, as one sentence; event, its actor, and the ticket with its requester are loaded."""
    event = notice.event
    name = event.actor.display_name if event.actor is not None else ""
    if notice.kind == MENTIONED:
        return _("%(name)s mentions you.", name=name) if name else _("You are mentioned.")
    if notice.kind == ASSIGNED:
        return _assigned(event, name)
    if notice.kind == OVERDUE:
        return _("The promised answer is late.") if _is_promise(event) else _("It is overdue.")
    if notice.kind == DUE_SOON:
        return _("The promised answer is due soon.") if _is_promise(event) else _("It is due soon.")
    if notice.kind == TOLD:
        return _told(event)
    if notice.kind == ANSWERED:
        return _("%(name)s writes.", name=name) if name else _("The customer writes.")
    if event.kind == "ticket_moved":
        return _("It comes to your team.")
    return _("New from %(name)s.", name=notice.ticket.requester.display_name)


def _assigned(event: Event, name: str) -> str:
    if event.kind == "ticket_opened":
        return _("It is new, and yours.")
    return _("%(name)s gives it to you.", name=name) if name else _("It is yours now.")


def _told(event: Event) -> str:
    """The plugin's own words, in the language that is spoken now if it wrote them in that."""
    texts = event.data.get("texts", {})
    found = texts.get(str(get_locale())) or next(iter(texts.values()), "")
    return str(found) or _("What this was to tell you of is not there any more.")


def _is_promise(event: Event) -> bool:
    return event.kind.startswith("promise_")


def group_words(kind: str) -> str:
    """The heading of a kind in a summary."""
    return str(KIND_WORDS[kind][0])
