"""Actions on tickets as data: what a macro keeps, and what is done to many at once.

``{"do": "set_status", "value": "solved"}`` is checked when it is made (:func:`parse`), told in words (:func:`preview`),
and carried out by the verbs of the workflow, all or none on one ticket (:func:`prepare`, :func:`carry_out`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from helpdesk.core import workflow
from helpdesk.core.action_kinds import KINDS, NOTE, ORDER, REPLY, SET_STATUS, InvalidAction
from helpdesk.core.action_kinds import texts as action_texts
from helpdesk.core.extensions import db
from helpdesk.core.facts_of import read_facts
from helpdesk.core.models import Ticket, User
from helpdesk.core.permissions import NotAllowed, allowed, require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.locking import check_version, lock

__all__ = ["NOTE", "REPLY", "Action", "InvalidAction", "Line", "Prepared"]


# Done after all others, in this order: they may take a ticket out of the sight of whoever does them.
_LAST = ("assign", "move")


@dataclass(frozen=True)
class Action:
    """One thing to do, checked."""

    do: str
    value: str

    def as_dict(self) -> dict[str, str]:
        """As it is stored."""
        return {"do": self.do, "value": self.value}


@dataclass(frozen=True)
class Line:
    """What one action does to one ticket, in words. ``text``: what is written, for replies and notes."""

    label: str
    before: str = ""
    after: str = ""
    text: str = ""
    # What is wrong with it, or worth knowing.
    warning: str = ""

    @property
    def is_change(self) -> bool:
        return bool(self.text) or self.before != self.after


@dataclass
class Prepared:
    """Actions on one ticket for which the plugins have been asked."""

    ticket: Ticket
    actor: User
    actions: Sequence[Action]
    messages: dict[str, Any] = field(default_factory=dict)
    # What is in the reply's draft already.
    joined: set[str] = field(default_factory=set)


def parse(raw: Any, actor: User) -> list[Action]:
    """Actions from a form or a stored list, in the order in which people read them, each kind once.

    Raises :class:`InvalidAction` with the field and a sentence: none at all, an unknown one, a value that cannot be.
    """
    found: dict[str, Action] = {}
    for item in raw if isinstance(raw, list) else []:
        do = str(item.get("do", "")) if isinstance(item, Mapping) else ""
        if do not in KINDS:
            raise InvalidAction("do", _("This desk does not know one of these actions; take it away."))
        value = str(item.get("value", ""))
        found[do] = Action(do, KINDS[do].clean(value, actor))
    if not found:
        raise InvalidAction("do", _("Choose what is to be done."))
    return [found[do] for do in ORDER if do in found]


def from_form(form: Mapping[str, str]) -> list[dict[str, str]]:
    """What a form says is to be done: a field for each kind, "" for what stays as it is. To be parsed."""
    return [{"do": do, "value": form[do]} for do in ORDER if form.get(do, "").strip()]


def settled(actions: Sequence[Action], actor: User) -> list[Action]:
    """The same with moments fixed ("in 2 hours" counts from now), for an act that takes a while."""
    return [Action(one.do, KINDS[one.do].settle(one.value, actor)) for one in actions]


def readable(raw: Any, actor: User) -> list[Action]:
    """Those of stored actions that can still be carried out: a team or a status may be gone meanwhile."""
    found = []
    for item in raw if isinstance(raw, list) else []:
        try:
            found += parse([item], actor)
        except InvalidAction:
            continue
    return found


def summary(actions: Sequence[Action], actor: User) -> list[str]:
    """Each action in words, without a ticket: "Status: Solved"."""
    return [KINDS[one.do].words(one.value, actor) for one in actions]


def preview(ticket: Ticket, actions: Sequence[Action], actor: User) -> list[Line]:
    """What the actions would do to a ticket now. Reads only."""
    found = []
    for one in actions:
        kind = KINDS[one.do]
        if one.do in (REPLY, NOTE):
            filled, missing = action_texts(one.value, ticket, actor)
            warning = _("Nothing to put in for: %(names)s", names=", ".join(missing)) if missing else ""
            found.append(Line(kind.label(), text=filled, warning=warning))
        else:
            found.append(Line(kind.label(), *kind.change(one.value, ticket, actor)))
    return found


def prepare(ticket: Ticket, actions: Sequence[Action], actor: User) -> Prepared:
    """Fill in the texts and ask the plugins, before any transaction opens. Raises a WorkflowError or NotAllowed."""
    prepared = Prepared(ticket, actor, actions)
    by_kind = {one.do: one for one in actions}
    for do, permission in ((REPLY, "ticket.reply"), (NOTE, "ticket.note")):
        if do in by_kind:
            require(actor, permission, ticket)
            draft = KINDS[do].draft(by_kind[do].value, ticket, actor)
            if do == REPLY and SET_STATUS in by_kind:
                # In one act with the reply, so that the customer gets one mail.
                draft.status = by_kind[SET_STATUS].value
                prepared.joined.add(SET_STATUS)
            prepared.messages[do] = workflow.prepare_message(ticket, draft, actor)
    if SET_STATUS in by_kind and SET_STATUS not in prepared.joined:
        KINDS[SET_STATUS].ask(by_kind[SET_STATUS].value, ticket, actor)
    return prepared


def carry_out(prepared: Prepared, version: int | None = None) -> dict[str, list[Any]]:
    """Do it all, or nothing; answer which facts changed, each with what it was and what it is.

    With ``version``, raises Stale when somebody else wrote meanwhile and a reply or note is among it. Joins or opens
    the transaction. Raises what the verbs raise.
    """
    ticket, actor = prepared.ticket, prepared.actor
    with transaction():
        lock(ticket)
        if prepared.messages:
            check_version(ticket, version, actor, ("message_added",))
        before = read_facts(ticket)
        for one in sorted(prepared.actions, key=lambda one: _LAST.index(one.do) + 1 if one.do in _LAST else 0):
            _do(prepared, one)
            # The next verb reads the ticket anew.
            db.session.flush()
        after = read_facts(ticket)
    return {name: [before[name], after[name]] for name in before if before[name] != after[name]}


def _do(prepared: Prepared, one: Action) -> None:
    ticket, actor = prepared.ticket, prepared.actor
    try:
        if one.do in prepared.messages:
            verb = workflow.reply if one.do == REPLY else workflow.note
            verb(ticket, prepared.messages[one.do], actor)
        elif one.do not in prepared.joined:
            KINDS[one.do].apply(one.value, ticket, actor)
    except NotAllowed as problem:
        if one.do not in _LAST or allowed(actor, "ticket.read", ticket):
            raise
        raise workflow.Refused(
            _(
                "You would no longer see this ticket before all of it is done, so nothing was done. "
                "Change team and assignee one after the other."
            )
        ) from problem
