"""Events as sentences in the reader's language."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import pgettext

from helpdesk.core.models import Event
from helpdesk.core.models.user import User
from helpdesk.core.statuses import category_label, priority_label


@dataclass(frozen=True)
class Line:
    """One line of history: an icon's name and a sentence."""

    icon: str
    text: str


def line(event: Event) -> Line | None:
    """What happened, in words; None for what is shown by itself (messages)."""
    who = actor_name(event.actor)
    data = event.data or {}
    match event.kind:
        case "ticket_opened":
            return _opened(who, data)
        case "ticket_status_changed":
            status = category_label(data.get("to_category", ""))
            return Line(
                f"s-{_glyph(data.get('to_category', ''))}",
                _("%(who)s set the status to %(status)s", who=who, status=status),
            )
        case "ticket_assigned":
            return _assigned(event, who, data)
        case "ticket_moved" if data.get("to_name"):
            return Line("route", _("%(who)s moved this to %(team)s", who=who, team=data["to_name"]))
        case "ticket_moved":
            return Line("route", _("%(who)s took this out of its team", who=who))
        case "ticket_updated":
            return _updated(who, data)
        case "delivery_failed":
            reason = data.get("reason", "")
            return Line(
                "alert-triangle",
                _(
                    "A message to %(address)s could not be sent: %(reason)s",
                    address=data.get("address", ""),
                    reason=reason,
                ),
            )
    return None


def actor_name(actor: User | None) -> str:
    """A person's name, or what the desk calls itself."""
    return actor.display_name if actor is not None else pgettext("actor", "The desk")


def reason_text(code: str) -> str:
    """Why an incoming item went where it did; a sentence that is no code of ours stays as it is."""
    kind, _colon, number = code.partition(":")
    texts = {
        "reply_token": _("came to the signed reply address"),
        "reference": _("answers a message that we sent"),
        "plugin": _("a plugin knew the ticket"),
        "unknown_token": _("the reply address was not one of ours"),
        "foreign_token": _("sent to the reply address of somebody else, for ticket #%(number)s", number=number),
        "closed": _("ticket #%(number)s is closed", number=number),
        "blocked": _("this person is blocked"),
    }
    return texts.get(kind, code)


def _opened(who: str, data: dict[str, str]) -> Line:
    if data.get("reason"):
        reason = reason_text(data["reason"])
        return Line("inbox", _("%(who)s opened this ticket (%(reason)s)", who=who, reason=reason))
    return Line("inbox", _("%(who)s opened this ticket", who=who))


def _assigned(event: Event, who: str, data: dict[str, object]) -> Line:
    if data.get("to") is None:
        return Line("user", _("%(who)s took the assignee off", who=who))
    if event.actor_id is not None and data.get("to") == event.actor_id:
        return Line("user", _("%(who)s took this ticket", who=who))
    return Line("user", _("%(who)s assigned this to %(name)s", who=who, name=data.get("to_name")))


def _updated(who: str, data: dict[str, object]) -> Line:
    field, old, new = str(data.get("field")), data.get("from"), data.get("to")
    if field == "subject":
        return Line("pencil", _("%(who)s changed the subject from “%(old)s”", who=who, old=old))
    if field == "priority":
        return Line(
            f"p-{new}",
            _("%(who)s set the priority to %(priority)s", who=who, priority=priority_label(str(new))),
        )
    if field == "tags":
        return Line("tag", _tags(who, _words(old), _words(new)))
    if field == "followers":
        if new:
            return Line("users", _("%(who)s added %(name)s as a follower", who=who, name=new))
        return Line("users", _("%(who)s removed %(name)s from the followers", who=who, name=old))
    label = data.get("label") or field.removeprefix("field:")
    if new in (None, ""):
        return Line("pencil", _("%(who)s emptied “%(field)s”", who=who, field=label))
    return Line("pencil", _("%(who)s set “%(field)s” to %(value)s", who=who, field=label, value=new))


def _tags(who: str, old: set[str], new: set[str]) -> str:
    added = ", ".join(f"#{name}" for name in sorted(new - old))
    removed = ", ".join(f"#{name}" for name in sorted(old - new))
    if added and removed:
        return _("%(who)s added %(added)s and removed %(removed)s", who=who, added=added, removed=removed)
    if added:
        return _("%(who)s added %(added)s", who=who, added=added)
    return _("%(who)s removed %(removed)s", who=who, removed=removed)


def _words(value: object) -> set[str]:
    return {str(word) for word in value} if isinstance(value, list) else set()


def _glyph(category: str) -> str:
    return {"on_hold": "hold", "closed": "solved"}.get(category, category)
