"""The kinds of actions on tickets: each with its words, its check, and the verb that carries it out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _

from helpdesk.core import i18n, labels, moments, placeholders, statuses, ticket_types, topics, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket, TicketType, Topic, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.core.workflow.editing import clean_tags, split_tags
from helpdesk.core.working_time import hours_of

REPLY, NOTE, SET_STATUS = "reply", "note", "set_status"
ME, NONE = "me", "none"
# In front of a moment that is fixed; others are read when the action is carried out.
_FIXED = "@"
_TEXT_LENGTH = 50_000


class InvalidAction(Exception):
    """An action cannot be used; the text is a sentence for the person, ``field`` the kind that it is about."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Kind:
    """One kind of action."""

    def __init__(self, do: str, label: Callable[[], str]) -> None:
        self.do = do
        self.label = label

    def clean(self, value: str, actor: User) -> str:
        """The value as it is stored. Raises :class:`InvalidAction`."""
        raise NotImplementedError

    def settle(self, value: str, actor: User) -> str:
        """The value with what depends on the moment fixed."""
        return value

    def name_of(self, value: str, actor: User) -> str:
        """The value as people read it."""
        return value

    def words(self, value: str, actor: User) -> str:
        """The action as people read it."""
        return _("%(name)s: %(text)s", name=self.label(), text=self.name_of(value, actor))

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        """What a ticket has, and what it would have, as people read it."""
        raise NotImplementedError

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        """Carry it out, inside the open transaction."""
        raise NotImplementedError

    def refuse(self) -> InvalidAction:
        """For a value that there is not."""
        return InvalidAction(self.do, _("This is no longer there; choose another."))


class _Status(Kind):
    def clean(self, value: str, actor: User) -> str:
        if statuses.by_key(value[:40]) is None:
            raise self.refuse()
        return value

    def name_of(self, value: str, actor: User) -> str:
        status = statuses.by_key(value)
        return statuses.label(status) if status is not None else value

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        return statuses.label(ticket.status), self.name_of(value, actor)

    def ask(self, value: str, ticket: Ticket, actor: User) -> None:
        """Let plugins refuse it, before the transaction."""
        status = statuses.by_key(value)
        if status is not None and status.id != ticket.status_id:
            workflow.ask_plugins(ticket, status, actor)

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.set_status(ticket, value, actor, asked=True)


class _Priority(Kind):
    def clean(self, value: str, actor: User) -> str:
        if value not in PRIORITIES:
            raise self.refuse()
        return value

    def name_of(self, value: str, actor: User) -> str:
        return statuses.priority_label(value)

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        return statuses.priority_label(ticket.priority), self.name_of(value, actor)

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.set_priority(ticket, value, actor)


class _Row(Kind):
    """A value that is a row, or none."""

    model: Any
    column = ""

    def find(self, value: str, actor: User) -> Any:
        """The row, or None for none. Raises :class:`InvalidAction` when it is gone."""
        if value == NONE:
            return None
        row = None
        if value.isascii() and value.isdigit() and len(value) < 19:
            row = db.session.get(self.model, int(value))
        if row is None or not row.active:
            raise self.refuse()
        return row

    def name(self, row: Any) -> str:
        """What a row is called; None: none."""
        raise NotImplementedError

    def clean(self, value: str, actor: User) -> str:
        self.find(value, actor)
        return value

    def name_of(self, value: str, actor: User) -> str:
        try:
            return self.name(self.find(value, actor))
        except InvalidAction:
            return _("no longer there")

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        return self.name(getattr(ticket, self.column)), self.name_of(value, actor)

    def found(self, value: str, actor: User) -> Any:
        """The row for a verb."""
        try:
            return self.find(value, actor)
        except InvalidAction as problem:
            raise workflow.Invalid(self.do, str(problem)) from problem


class _Assignee(_Row):
    model, column = User, "assignee"

    def find(self, value: str, actor: User) -> User | None:
        if value == ME:
            return actor
        found: User | None = super().find(value, actor)
        if found is not None and (not found.is_staff or found.is_service):
            raise self.refuse()
        return found

    def name(self, row: User | None) -> str:
        return row.display_name if row is not None else _("Nobody")

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.assign(ticket, self.found(value, actor), actor)


class _Team(_Row):
    model, column = Team, "team"

    def name(self, row: Team | None) -> str:
        return labels.team_name(row) if row is not None else _("No team")

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.move(ticket, self.found(value, actor), actor)


class _Type(_Row):
    model, column = TicketType, "type"

    def name(self, row: TicketType | None) -> str:
        return ticket_types.label(row.id, row.name) if row is not None else _("No type")

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.set_type(ticket, self.found(value, actor), actor)


class _Topic(_Row):
    model, column = Topic, "topic"

    def name(self, row: Topic | None) -> str:
        return topics.full_name(row.id, row.name) if row is not None else _("No topic")

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.set_topic(ticket, self.found(value, actor), actor)


class _Tags(Kind):
    def __init__(self, do: str, label: Callable[[], str], adds: bool) -> None:
        super().__init__(do, label)
        self.adds = adds

    def clean(self, value: str, actor: User) -> str:
        try:
            found = clean_tags(split_tags(value))
        except workflow.Invalid as problem:
            raise InvalidAction(self.do, str(problem)) from problem
        if not found:
            raise InvalidAction(self.do, _("Name at least one tag."))
        return ", ".join(found)

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        before = {tag.name for tag in ticket.tags}
        named = set(value.split(", "))
        after = before | named if self.adds else before - named
        return ", ".join(sorted(before)), ", ".join(sorted(after))

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        (workflow.tag if self.adds else workflow.untag)(ticket, value.split(", "), actor)


class _Moment(Kind):
    """A moment as people type it ("tomorrow 9:00"); "none" takes it away."""

    column = ""
    day_at = moments.MORNING

    def clean(self, value: str, actor: User) -> str:
        value = " ".join(storable(value).split())
        self.moment(value, actor)
        return value

    def settle(self, value: str, actor: User) -> str:
        moment = self.moment(value, actor)
        return _FIXED + moment.isoformat() if moment is not None else value

    def moment(self, value: str, actor: User, team_id: int | None = None) -> datetime | None:
        """When it is. Raises :class:`InvalidAction`."""
        if value == NONE:
            return None
        try:
            if value.startswith(_FIXED):
                return datetime.fromisoformat(value.removeprefix(_FIXED))
            zone = actor.time_zone or i18n.default_zone()
            return moments.parse(value, zone=zone, hours=hours_of(team_id), day_at=self.day_at)
        except ValueError as problem:
            raise InvalidAction(self.do, str(problem)) from problem

    def name_of(self, value: str, actor: User) -> str:
        if value == NONE:
            return _("none")
        if not value.startswith(_FIXED):
            return value
        return str(format_datetime(datetime.fromisoformat(value.removeprefix(_FIXED)), "medium"))

    def change(self, value: str, ticket: Ticket, actor: User) -> tuple[str, str]:
        before: datetime | None = getattr(ticket, self.column)
        try:
            after = self.moment(value, actor, ticket.team_id)
        except InvalidAction as problem:
            return _said(before), str(problem)
        return _said(before), _said(after)

    def found(self, value: str, ticket: Ticket, actor: User) -> datetime | None:
        """The moment for a verb."""
        try:
            return self.moment(value, actor, ticket.team_id)
        except InvalidAction as problem:
            raise workflow.Invalid(self.do, str(problem)) from problem


class _Due(_Moment):
    column = "due_at"
    day_at = moments.EVENING

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        workflow.set_due(ticket, self.found(value, ticket, actor), actor)


class _Snooze(_Moment):
    column = "snoozed_until"

    def apply(self, value: str, ticket: Ticket, actor: User) -> None:
        until = self.found(value, ticket, actor)
        if until is None:
            workflow.wake(ticket, actor)
        else:
            workflow.snooze(ticket, until, actor)


class _Message(Kind):
    """A text with placeholders (core/placeholders.py)."""

    def __init__(self, do: str, label: Callable[[], str], visibility: str) -> None:
        super().__init__(do, label)
        self.visibility = visibility

    def clean(self, value: str, actor: User) -> str:
        value = storable(value).replace("\r\n", "\n").strip()
        if len(value) > _TEXT_LENGTH:
            raise InvalidAction(self.do, _("This text is too long; 50,000 characters fit."))
        try:
            placeholders.check(value)
        except placeholders.UnknownPlaceholder as problem:
            raise InvalidAction(self.do, str(problem)) from problem
        return value

    def name_of(self, value: str, actor: User) -> str:
        line = " ".join(value.split())
        return line if len(line) <= 80 else f"{line[:79]}…"

    def draft(self, value: str, ticket: Ticket, actor: User) -> MessageDraft:
        """What is to be written, for ``workflow.prepare_message``."""
        text, _missing = texts(value, ticket, actor)
        signature = actor.signature.strip() if self.visibility == PUBLIC else ""
        if signature and "agent.signature" not in value:
            text = f"{text}\n\n{signature}"
        return MessageDraft(text, visibility=self.visibility, channel="desk")


def texts(value: str, ticket: Ticket, actor: User) -> tuple[str, list[str]]:
    """A text filled in for a ticket, in its customer's language, and the names of what had nothing to put in."""
    filled = placeholders.render(value, ticket, actor, ticket.locale or ticket.requester.locale)
    return filled.text, filled.missing


def _said(moment: datetime | None) -> str:
    return str(format_datetime(moment, "medium")) if moment is not None else _("none")


_ALL = (
    _Message(REPLY, lambda: _("Reply"), PUBLIC),
    _Message(NOTE, lambda: _("Internal note"), INTERNAL),
    _Team("move", lambda: _("Team")),
    _Assignee("assign", lambda: _("Assignee")),
    _Priority("set_priority", lambda: _("Priority")),
    _Type("set_type", lambda: _("Type")),
    _Topic("set_topic", lambda: _("Topic")),
    _Tags("add_tags", lambda: _("Add tags"), adds=True),
    _Tags("remove_tags", lambda: _("Remove tags"), adds=False),
    _Due("set_due", lambda: _("Due")),
    _Status(SET_STATUS, lambda: _("Status")),
    _Snooze("snooze", lambda: _("Snooze until")),
)
KINDS: Mapping[str, Any] = {kind.do: kind for kind in _ALL}
# In which order they are carried out: the text first, and a rest last, since a new status ends it.
ORDER = tuple(KINDS)
