"""The conversation as people read it: messages and, between them, who changed what."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from helpdesk.core import labels, languages, statuses, ticket_types, topics
from helpdesk.core.events.reasons import PROVED, reason_text
from helpdesk.core.models import Event, Message
from helpdesk.core.models.message import INTERNAL
from helpdesk.core.models.ticket import CATEGORIES
from helpdesk.web import render
from helpdesk.web.desk import choices, together_words

# So many changes in a row become one line that opens.
FOLD = 5
# Told by the message beside them.
_SILENT = frozenset({"message_added"})
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Change:
    """One line between the messages."""

    icon: str
    text: Markup
    at: datetime
    flip: bool = False


@dataclass(frozen=True)
class Entry:
    """A message, or changes that stand together (folded when they are many)."""

    message: Message | None = None
    changes: Sequence[Change] = field(default_factory=tuple)

    @property
    def folded(self) -> bool:
        return len(self.changes) >= FOLD


def timeline(messages: Iterable[Message], events: Iterable[Event]) -> list[Entry]:
    """Messages and changes, oldest first, with the changes between two messages gathered."""
    items: list[tuple[datetime, int, int, Any]] = [(message.created_at, 0, message.id, message) for message in messages]
    for event in events:
        change = describe(event)
        if change is not None:
            # The opening stands before what was written in it, though its event is recorded after.
            first = event.kind == "ticket_opened"
            items.append((_BEGINNING if first else change.at, 1, event.id, change))
    entries: list[Entry] = []
    gathered: list[Change] = []
    for _at, _kind, _id, item in sorted(items, key=lambda found: found[:3]):
        if isinstance(item, Change):
            gathered.append(item)
            continue
        if gathered:
            entries.append(Entry(changes=tuple(gathered)))
            gathered = []
        entries.append(Entry(message=item))
    if gathered:
        entries.append(Entry(changes=tuple(gathered)))
    return entries


def describe(event: Event) -> Change | None:
    """The sentence for an event, or None when it is told elsewhere or by nobody."""
    if event.kind in _SILENT:
        return _reason(event)
    sentence = _SENTENCES.get(event.kind, _plugin_event)(event)
    if sentence is None:
        return None
    icon, text, values = sentence
    return Change(icon, emphasised(text, name=_actor(event), **values), event.created_at, icon == "route")


def what_changed(events: Iterable[Event]) -> list[tuple[Markup, str]]:
    """For a conflict: each change as a sentence, with the beginning of what was written."""
    found = []
    for event in events:
        if event.kind in _SILENT and event.message is not None:
            text = (
                _("%(name)s wrote an internal note") if event.message.visibility == INTERNAL else _("%(name)s replied")
            )
            found.append((emphasised(text, name=_actor(event)), event.message.text[:500]))
        elif (change := describe(event)) is not None:
            found.append((change.text, ""))
    return found


def emphasised(text: str, /, **values: str) -> Markup:
    """A translated sentence with its values in bold. A translation with a wrong placeholder shows as it is."""
    bold = {key: Markup("<b><bdi>{}</bdi></b>").format(value) for key, value in values.items()}
    try:
        return escape(text) % bold
    except (KeyError, ValueError, TypeError):
        return escape(text)


# ---- sentences: each answers (icon, text with placeholders, values), or None

_Sentence = tuple[str, str, Mapping[str, str]]


def _actor(event: Event) -> str:
    return event.actor.display_name if event.actor is not None else _("The desk")


def _reason(event: Event) -> Change | None:
    reason = event.data.get("reason")
    if not reason or reason in PROVED:
        return None
    return Change("info-circle", escape(reason_text(reason)), event.created_at)


def _opened(event: Event) -> _Sentence:
    reason = event.data.get("reason")
    # Who has it is told with the opening: nobody else did anything.
    words = [*([reason_text(str(reason))] if reason else []), *_given(event)]
    if words:
        return "inbox", _("%(name)s opened the ticket: %(reason)s"), {"reason": "; ".join(words)}
    return "inbox", _("%(name)s opened the ticket"), {}


def _given(event: Event) -> list[str]:
    """What a team's way of assignment came to, where it has one."""
    agent = str(event.data.get("agent_name") or event.data.get("to_name") or "")
    words = {
        "round_robin": _("%(agent)s took it, whose turn it was", agent=agent),
        "least_busy": _("%(agent)s took it, who had the least to do", agent=agent),
        "away": _("nobody of the team was there to take it"),
        "full": _("everybody of the team had as much as they take"),
        "limited": _("nobody of the team may be given such tickets"),
        "nobody": _("nobody of the team could take it"),
    }
    code = str(event.data.get("way") or event.data.get("unassigned") or "")
    return [words[code]] if code in words else []


def _assigned(event: Event) -> _Sentence:
    if given := _given(event):
        return "user", _("%(name)s assigned the ticket: %(reason)s"), {"reason": given[0]}
    if event.data.get("to") is None:
        return "user", _("%(name)s took the assignment away"), {}
    if event.data["to"] == event.actor_id:
        return "user", _("%(name)s took the ticket"), {}
    return "user", _("%(name)s assigned the ticket to %(agent)s"), {"agent": str(event.data.get("to_name"))}


def _moved(event: Event) -> _Sentence:
    if event.data.get("to") is None:
        return "route", _("%(name)s took the ticket out of its team"), {}
    if given := _given(event):
        values = {"team": _team_name(event.data), "reason": given[0]}
        return "route", _("%(name)s moved the ticket to %(team)s: %(reason)s"), values
    return "route", _("%(name)s moved the ticket to %(team)s"), {"team": _team_name(event.data)}


def _status_changed(event: Event) -> _Sentence:
    category = str(event.data.get("to_category", ""))
    icon = {"on_hold": "s-hold"}.get(category, f"s-{category}") if category in CATEGORIES else "s-open"
    if event.data.get("reason") == "silence":
        return icon, _("The ticket was closed, since the customer said nothing more"), {}
    return icon, _("%(name)s set the status to %(status)s"), {"status": _status_name(event.data.get("to"), category)}


def _updated(event: Event) -> _Sentence | None:
    kind, old, new = str(event.data.get("field", "")), event.data.get("from"), event.data.get("to")
    if kind == "subject":
        return "pencil", _("%(name)s changed the subject from “%(subject)s”"), {"subject": str(old)}
    if kind == "erased":
        return "trash", _("%(name)s erased the personal data of the customer"), {}
    if kind == "priority":
        values = {"priority": statuses.priority_label(str(new))}
        return (
            f"p-{new}" if new in ("low", "normal", "high", "urgent") else "bolt",
            _("%(name)s set the priority to %(priority)s"),
            values,
        )
    if kind == "language":
        return "language", _("%(name)s set the language to %(language)s"), {"language": languages.name_of(str(new))}
    if kind in ("type", "topic"):
        return _sorted(kind, event.data)
    if kind == "tags":
        return _tags(list(old or []), list(new or []))
    if kind == "requester":
        values = {"person": str(old), "other": str(new)}
        return "user", _("%(name)s merged the customer %(person)s with %(other)s"), values
    if kind == "followers":
        text = (
            _("%(name)s added %(person)s as a follower") if new else _("%(name)s removed %(person)s from the followers")
        )
        return "eye", text, {"person": str(new or old)}
    if kind.startswith("field:"):
        label = str(event.data.get("label", kind[6:]))
        label, value = labels.of_field_key(kind[6:], label, "" if new is None else str(new))
        if not value:
            return "pencil", _("%(name)s emptied %(field)s"), {"field": label}
        return "pencil", _("%(name)s set %(field)s to %(value)s"), {"field": label, "value": value[:120]}
    return None


def _sorted(kind: str, data: Mapping[str, Any]) -> _Sentence:
    number, then = data.get("to"), str(data.get("to_name") or "")
    if number is None:
        text = _("%(name)s took the type away") if kind == "type" else _("%(name)s took the topic away")
        return "bookmark", text, {}
    if kind == "type":
        return "bookmark", _("%(name)s set the type to %(type)s"), {"type": ticket_types.label(_number(number), then)}
    return "bookmark", _("%(name)s set the topic to %(topic)s"), {"topic": topics.full_name(_number(number), then)}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


# ngettext fills placeholders at once; these keep them for emphasised().
_HOLES = {"name": "%(name)s", "tags": "%(tags)s"}


def _tags(old: Sequence[str], new: Sequence[str]) -> _Sentence:
    added, removed = [tag for tag in new if tag not in old], [tag for tag in old if tag not in new]
    if added and not removed:
        text = ngettext("%(name)s added the tag %(tags)s", "%(name)s added the tags %(tags)s", len(added), **_HOLES)
        return "tag", text, {"tags": ", ".join(added)}
    if removed and not added:
        text = ngettext(
            "%(name)s removed the tag %(tags)s", "%(name)s removed the tags %(tags)s", len(removed), **_HOLES
        )
        return "tag", text, {"tags": ", ".join(removed)}
    return "tag", _("%(name)s changed the tags to %(tags)s"), {"tags": ", ".join(new)}


def _delivery_failed(event: Event) -> _Sentence:
    values = {"address": str(event.data.get("address", "")), "reason": str(event.data.get("reason", ""))}
    return "alert-triangle", _("The message to %(address)s could not be sent: %(reason)s"), values


def _delivery_bounced(event: Event) -> _Sentence:
    values = {"address": str(event.data.get("address", "")), "reason": str(event.data.get("reason", ""))}
    return "alert-triangle", _("The message to %(address)s came back: %(reason)s"), values


def _delivery_delayed(event: Event) -> _Sentence:
    values = {"address": str(event.data.get("address", "")), "reason": str(event.data.get("reason", ""))}
    return "clock", _("The message to %(address)s is late: %(reason)s"), values


def _delivery_complained(event: Event) -> _Sentence:
    values = {"address": str(event.data.get("address", "")), "reason": str(event.data.get("reason", ""))}
    return "alert-triangle", _("%(address)s complained of the message as unwanted: %(reason)s"), values


def _message_held(event: Event) -> _Sentence:
    values = {"address": str(event.data.get("address", "")), "reason": reason_text(str(event.data.get("reason", "")))}
    return "inbox", _("A mail from %(address)s is held in Incoming mail: %(reason)s"), values


def _due_changed(event: Event) -> _Sentence:
    if event.data.get("to") is None:
        return "calendar-event", _("%(name)s took the due date away"), {}
    return "calendar-event", _("%(name)s set the due date to %(when)s"), {"when": _moment(event.data["to"])}


def _due_soon(event: Event) -> _Sentence:
    return "calendar-event", _("The ticket is due at %(when)s"), {"when": _moment(event.data.get("due_at"))}


def _overdue(event: Event) -> _Sentence:
    return "clock-exclamation", _("The ticket is overdue since %(when)s"), {"when": _moment(event.data.get("due_at"))}


def _promise_made(event: Event) -> _Sentence:
    values = {"when": _moment(event.data.get("due_at"))}
    if words := event.data.get("words"):
        return "clock", _("%(name)s promised an answer by %(when)s: %(words)s"), values | {"words": str(words)}
    return "clock", _("%(name)s promised an answer by %(when)s"), values


def _promise_withdrawn(event: Event) -> _Sentence:
    values = {"when": _moment(event.data.get("due_at"))}
    return "clock", _("%(name)s withdrew the promise of an answer by %(when)s"), values


def _promise_soon(event: Event) -> _Sentence:
    return "clock", _("An answer is promised by %(when)s"), {"when": _moment(event.data.get("due_at"))}


def _promise_broken(event: Event) -> _Sentence:
    values = {"when": _moment(event.data.get("due_at"))}
    return "clock-exclamation", _("The promise of an answer by %(when)s was broken"), values


def _promise_settled(event: Event) -> _Sentence | None:
    values, outcome = {"when": _moment(event.data.get("due_at"))}, event.data.get("outcome")
    if outcome == "kept":
        return "clock", _("%(name)s kept the promise of an answer by %(when)s"), values
    if outcome == "broken":
        return "clock", _("%(name)s answered what was promised by %(when)s, too late"), values
    return "clock", _("The promise of an answer by %(when)s is of no matter any more"), values


def _snoozed(event: Event) -> _Sentence:
    return "moon", _("%(name)s snoozed the ticket until %(when)s"), {"when": _moment(event.data.get("until"))}


def _woke(event: Event) -> _Sentence:
    if event.data.get("reason") == "hand":
        return "moon", _("%(name)s woke the ticket"), {}
    if event.data.get("reason") == "answer":
        return "moon", _("The ticket came back from snooze, since %(name)s wrote"), {}
    return "moon", _("The ticket came back from snooze"), {}


def _confirmed(event: Event) -> _Sentence:
    return "circle-check", _("%(name)s confirmed that it is solved"), {}


def _moment(text: Any) -> str:
    try:
        return render.minute(datetime.fromisoformat(str(text)))
    except (ValueError, OverflowError):
        return str(text)


def _plugin_event(event: Event) -> _Sentence | None:
    """A plugin's own event says what to show in its ``text``; without one it stays out of the history."""
    text = event.data.get("text")
    if not text:
        return None
    words = str(text).replace("%", "%%")
    return "puzzle", f"%(name)s: {words}" if event.actor is not None else words, {}


def _team_name(data: Mapping[str, Any]) -> str:
    """As it is called now in the reader's language, else as it was called then."""
    number, then = data.get("to"), str(data.get("to_name"))
    return labels.name(labels.TEAM, number, then) if isinstance(number, int) else then


def _status_name(key: Any, category: str) -> str:
    status = next((found for found in choices.every_status() if found.key == key), None)
    if status is not None:
        return choices.status_label(status)
    return statuses.category_label(category) if category in CATEGORIES else str(key)


_SENTENCES = {
    "promise_broken": _promise_broken,
    "promise_due_soon": _promise_soon,
    "promise_made": _promise_made,
    "promise_settled": _promise_settled,
    "promise_withdrawn": _promise_withdrawn,
    "ticket_confirmed": _confirmed,
    "ticket_due_changed": _due_changed,
    "ticket_due_soon": _due_soon,
    "ticket_overdue": _overdue,
    "ticket_snoozed": _snoozed,
    "ticket_woke": _woke,
    "delivery_bounced": _delivery_bounced,
    "delivery_complained": _delivery_complained,
    "delivery_delayed": _delivery_delayed,
    "delivery_failed": _delivery_failed,
    "message_held": _message_held,
    "ticket_opened": _opened,
    "ticket_assigned": _assigned,
    "ticket_moved": _moved,
    "ticket_status_changed": _status_changed,
    "ticket_updated": _updated,
    **together_words.SENTENCES,
}
