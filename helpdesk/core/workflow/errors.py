"""Why a verb did not do what was asked. Each text is a sentence for the person who asked."""

from collections.abc import Sequence

from flask_babel import gettext as _

from helpdesk.core.models import Event, Ticket


class WorkflowError(Exception):
    """Nothing was written."""


class Refused(WorkflowError):
    """A plugin refused it; the text is its reason."""


class Invalid(WorkflowError):
    """Something given cannot be used. ``field`` names it, the text says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Stale(WorkflowError):
    """Somebody else changed the same thing since the form was made. ``events`` says what came in between."""

    def __init__(self, ticket: Ticket, events: Sequence[Event]) -> None:
        super().__init__(_("Somebody changed this ticket while you were writing. Look at the change, then choose."))
        self.ticket = ticket
        self.events = list(events)


class Merged(Invalid):
    """The ticket went into another one; what was to be written belongs there (families.survivor_of)."""

    def __init__(self, ticket: Ticket) -> None:
        values = {"number": ticket.id, "survivor": ticket.merged_into_id}
        super().__init__("ticket", _("#%(number)s was merged into #%(survivor)s. Go on there.", **values))
        self.ticket = ticket
